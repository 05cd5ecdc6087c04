// The bidder's page. Every text is set as text, never as markup; every call carries the header that other sites cannot send.

const texts = {
  zh: {
    brand: '汇链授权', other: 'English', ask: '授权请求', trail: '数据足迹', owner: '权属人', loading: '正在读取…',
    noAskTitle: '没有待处理的请求', noAsk: '请打开对方发来的链接，或粘贴请求编号。', askId: '请求编号', show: '查看请求',
    asks: '请求读取您的数据', lead: '请逐项核对。签署后，对方只能读取以下内容，且每次读取都会留下足迹。',
    who: '谁来读取', what: '读取哪些内容', purpose: '用于什么', term: '何时有效', times: '可读几次',
    until: (from, until) => `${from} 至 ${until}（北京时间）`, uses: (count) => `最多 ${count} 次`,
    note: '对方附言（不属于签署内容）', fields: '包含字段', personal: '含个人信息', proof: '签署内容的摘要', sign: '签署授权', decline: '不签署', signing: '正在签署…',
    signedTitle: '已签署授权', signed: '授权已送达对方的节点。您可随时撤销；撤销前已读取的内容无法收回。',
    declinedTitle: '未签署', declined: '没有发送任何内容，对方读不到您的数据。', again: '重新查看', seeTrail: '查看足迹',
    expiredTitle: '请求已过期', expired: '有效期已结束，不能再签署。请对方重新发起。',
    revoke: '撤销授权', revokeAsk: '撤销后，对方不能再凭此授权读取。确定撤销？', yes: '确定撤销', no: '保留', revokedTitle: '授权已撤销', revoked: '撤销已写入账本。',
    trailTitle: '数据足迹', trailLead: '您的数据被发布、授权、读取和拒绝的全部记录，最新的在前。', empty: '还没有任何记录。', refresh: '刷新',
    missing: (names) => `以下中心未答复，其拒绝记录可能缺失：${names}`, failed: '未能完成', code: '代码',
    kinds: { centre: '交易中心', platform: '交易平台', institution: '金融机构', supervisor: '监管部门' },
    events: {
      registered: '登记密钥', 'key-rotated': '更换密钥', 'recovery-approved': '批准恢复密钥', 'recovery-objected': '对恢复提出异议', published: '发布记录', superseded: '更新记录',
      revoked: '撤销记录', contested: '记录有争议', attested: '其他中心佐证', stated: '本人声明', opened: '凭授权读取', confirmed: '确认收到', refused: '退回凭证', disputed: '提出异议', 'grant-revoked': '撤销授权', 'refused-by-centre': '拒绝读取',
    },
  },
  en: {
    brand: 'Huilian consent', other: '中文', ask: 'Request', trail: 'Trail', owner: 'Owner', loading: 'Loading…',
    noAskTitle: 'No request to answer', noAsk: 'Open the link you were sent, or paste the request number.', askId: 'Request number', show: 'Show request',
    asks: 'asks to read your data', lead: 'Check every line. Once you sign, they can read this and nothing else, and every reading leaves a trace.',
    who: 'Who reads', what: 'What they read', purpose: 'For what', term: 'Valid', times: 'How often',
    until: (from, until) => `${from} to ${until} (Beijing time)`, uses: (count) => (count === 1 ? 'Once' : `At most ${count} times`),
    note: 'Their note (not part of what you sign)', fields: 'Fields in it', personal: 'personal data', proof: 'Digest of what is signed', sign: 'Sign', decline: 'Don’t sign', signing: 'Signing…',
    signedTitle: 'Signed', signed: 'The grant has reached the reader’s node. You can revoke it at any time; what was read before stays read.',
    declinedTitle: 'Not signed', declined: 'Nothing was sent. They cannot read your data.', again: 'Look again', seeTrail: 'See the trail',
    expiredTitle: 'This request has expired', expired: 'Its term is over, so it cannot be signed. Let them ask again.',
    revoke: 'Revoke', revokeAsk: 'They will no longer be able to read under this grant. Revoke it?', yes: 'Revoke', no: 'Keep', revokedTitle: 'Revoked', revoked: 'The revocation is on the ledger.',
    trailTitle: 'Trail of your data', trailLead: 'Everything that was published, granted, read and refused, newest first.', empty: 'Nothing has happened yet.', refresh: 'Refresh',
    missing: (names) => `These centres did not answer; their refusals may be missing: ${names}`, failed: 'That did not work', code: 'Code',
    kinds: { centre: 'trading centre', platform: 'bidding platform', institution: 'financial institution', supervisor: 'supervisor' },
    events: {
      registered: 'Key registered', 'key-rotated': 'Key changed', 'recovery-approved': 'Key recovery approved', 'recovery-objected': 'Key recovery objected to', published: 'Record published', superseded: 'Record updated',
      revoked: 'Record revoked', contested: 'Record contested', attested: 'Attested by another centre', stated: 'Your own statement', opened: 'Read under a grant', confirmed: 'Receipt confirmed', refused: 'Ticket refused', disputed: 'Disputed', 'grant-revoked': 'Grant revoked', 'refused-by-centre': 'Reading refused',
    },
  },
};

const query = new URLSearchParams(location.search);
// `turn` counts what was asked for: an answer that comes after the next question is dropped.
const state = { turn: 0, language: firstLanguage(), view: query.get('view') === 'trail' ? 'trail' : 'ask', draw: () => {} };
const text = () => texts[state.language];
const say = (words) => words[state.language];
const byId = (id) => document.getElementById(id);

function firstLanguage() {
  const wanted = query.get('lang') ?? localStorage.getItem('language') ?? navigator.language;
  return wanted.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

/** An element with attributes, listeners (`onclick`) and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

const button = (label, onclick, kind = 'secondary') => make('button', { type: 'button', class: kind, onclick }, label);

async function call(route, body) {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const headers = { 'x-huilian-page': '1', ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const response = await fetch(route, { ...init, headers });
  const answer = await response.json();
  if (!response.ok) throw answer;
  return answer;
}

/** Shows a view and keeps how to draw it, so that changing the language redraws it without asking again. */
function show(draw, { announce = true } = {}) {
  state.draw = draw;
  const view = draw();
  byId('content').replaceChildren(view);
  if (announce) byId('announcer').textContent = view.querySelector('h1')?.textContent ?? '';
  // The button that was pressed may be gone; the keyboard goes on from here.
  if (document.activeElement === document.body) byId('content').focus({ preventScroll: true });
}

function card(tone, title, ...children) {
  return make('section', { class: `card ${tone}` }, make('h1', {}, ...[title].flat()), ...children);
}

function showLoading(label = (words) => words.loading) {
  show(() => make('section', { class: 'card', 'aria-busy': 'true' }, make('p', { class: 'lead' }, label(text()))), { announce: false });
}

function showFailure(error, retry) {
  const refusal = error?.message?.zh === undefined ? undefined : error;
  show(() => card('bad', text().failed,
    make('p', { class: 'lead' }, refusal === undefined ? String(error?.message ?? error) : `${capital(say(refusal.message))}${state.language === 'zh' ? '。' : '. '}${capital(say(refusal.next))}${state.language === 'zh' ? '。' : '.'}`),
    refusal && make('p', { class: 'fine' }, `${text().code} `, make('code', {}, refusal.code)),
    make('div', { class: 'actions' }, button(text().again, retry))));
}

const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

async function openAsk(id) {
  const turn = ++state.turn;
  if (!id) return show(drawNoAsk);
  showLoading();
  try {
    const ask = await call(`/api/ask?id=${encodeURIComponent(id)}`);
    if (turn !== state.turn) return;
    if (ask.signed) showSigned(ask);
    else show(() => drawAsk(ask));
  } catch (error) {
    if (turn === state.turn) showFailure(error, () => openAsk(id));
  }
}

function drawNoAsk() {
  const input = make('input', { id: 'ask-id', name: 'ask', autocomplete: 'off', spellcheck: 'false', maxlength: '26' });
  const onsubmit = (event) => {
    event.preventDefault();
    query.set('ask', input.value.trim());
    go('ask');
  };
  return card('', text().noAskTitle, make('p', { class: 'lead' }, text().noAsk),
    make('form', { class: 'find', onsubmit }, make('label', { for: 'ask-id' }, text().askId), input, make('button', { class: 'primary' }, text().show)));
}

/** A claim by its titles; what is in it opens below. */
function drawClaim({ fields, personal, ...titles }) {
  const mark = personal ? make('span', { class: 'personal' }, text().personal) : undefined;
  const separator = state.language === 'zh' ? '、' : ', ';
  return make('li', {}, make('details', { class: 'claim' },
    make('summary', {}, make('span', {}, say(titles)), ...(mark === undefined ? [] : [' ', mark])),
    make('p', { class: 'fine' }, make('span', { class: 'unseen' }, `${text().fields}: `), fields.map(say).join(separator))));
}

function drawTerms({ note, readerKind, words }) {
  const row = (term, ...values) => make('div', {}, make('dt', {}, term), ...values.map((value) => make('dd', {}, ...value)));
  return [
    make('dl', { class: 'terms' },
      row(text().who, [make('strong', {}, say(words.reader)), make('span', { class: 'fine' }, `${text().kinds[readerKind] ?? readerKind} · `, make('code', {}, words.grantee))]),
      row(text().what, [make('ul', { class: 'claims' }, ...words.claims.map(drawClaim))]),
      row(text().purpose, [capital(say(words.purpose))]),
      row(text().term, [text().until(say(words.from), say(words.until))]),
      row(text().times, [text().uses(words.maxUses)])),
    note === undefined ? undefined : make('figure', { class: 'note' }, make('figcaption', {}, text().note), make('blockquote', {}, note)),
  ];
}

const drawProof = (shown) => make('details', {}, make('summary', {}, text().proof), make('code', { class: 'digest' }, shown));

/** Name and sentence may part at the end of a line, not within. */
function drawTitle({ words }) {
  const space = state.language === 'zh' ? '' : ' ';
  return [make('span', { class: 'phrase' }, say(words.reader)), space, make('span', { class: 'phrase' }, text().asks)];
}

function drawAsk(ask) {
  const expired = ask.expired && make('p', { class: 'warning', role: 'alert' }, make('strong', {}, text().expiredTitle), text().expired);
  return card('', drawTitle(ask),
    expired || make('p', { class: 'lead' }, text().lead),
    ...drawTerms(ask),
    ask.expired ? undefined : make('div', { class: 'actions' }, button(text().sign, () => sign(ask), 'primary'), button(text().decline, () => showDeclined(ask))),
    drawProof(ask.shown));
}

async function sign(ask) {
  const turn = ++state.turn;
  showLoading((words) => words.signing);
  try {
    await call('/api/sign', { id: ask.id, shown: ask.shown });
    if (turn === state.turn) showSigned(ask);
  } catch (error) {
    if (turn === state.turn) showFailure(error, () => openAsk(ask.id));
  }
}

function showSigned(ask) {
  show(() => card('good', text().signedTitle, make('p', { class: 'lead' }, text().signed), ...drawTerms(ask),
    make('div', { class: 'actions' }, button(text().seeTrail, () => go('trail')), revokeButton(ask.shown, () => showRevoked())), drawProof(ask.shown)));
}

function showDeclined(ask) {
  show(() => card('', text().declinedTitle, make('p', { class: 'lead' }, text().declined), make('div', { class: 'actions' }, button(text().again, () => openAsk(ask.id)))));
}

function showRevoked() {
  show(() => card('good', text().revokedTitle, make('p', { class: 'lead' }, text().revoked), make('div', { class: 'actions' }, button(text().seeTrail, () => go('trail')))));
}

/** Asks once more before it revokes, in a dialog that the keyboard can leave. */
function revokeButton(grant, then) {
  return button(text().revoke, () => {
    const dialog = make('dialog', { 'aria-labelledby': 'revoke-question' });
    const close = () => dialog.close();
    const revoke = async () => {
      close();
      showLoading();
      try {
        await call('/api/revoke', { grant });
        then();
      } catch (error) {
        showFailure(error, () => go(state.view));
      }
    };
    dialog.append(make('p', { id: 'revoke-question' }, text().revokeAsk), make('div', { class: 'actions' }, button(text().yes, revoke, 'danger'), button(text().no, close)));
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }, 'danger');
}

async function openTrail() {
  const turn = ++state.turn;
  showLoading();
  try {
    const trail = await call('/api/trail');
    if (turn === state.turn) show(() => drawTrail(trail));
  } catch (error) {
    if (turn === state.turn) showFailure(error, openTrail);
  }
}

function drawTrail({ lines, missing }) {
  const names = missing.map(say).join(state.language === 'zh' ? '、' : ', ');
  return make('section', { class: 'card' },
    make('div', { class: 'heading' }, make('h1', {}, text().trailTitle), button(text().refresh, openTrail, 'quiet')),
    make('p', { class: 'lead' }, text().trailLead),
    missing.length > 0 ? make('p', { class: 'warning' }, text().missing(names)) : undefined,
    lines.length === 0 ? make('p', {}, text().empty) : make('ol', { class: 'trail' }, ...lines.map(drawLine)));
}

const refusing = new Set(['refused', 'refused-by-centre', 'contested', 'disputed']);
const reading = new Set(['opened', 'confirmed']);

function drawLine({ at, code, data, purpose, reason, revocable, what, who }) {
  const tone = refusing.has(what) ? 'bad' : reading.has(what) ? 'good' : '';
  const when = new Date(at * 1000);
  const format = new Intl.DateTimeFormat(state.language === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Shanghai' });
  const separator = state.language === 'zh' ? '、' : ', ';
  const about = [who && say(who), purpose && say(purpose)].filter((part) => part !== undefined).join(' · ');
  return make('li', { class: tone },
    make('div', { class: 'line' }, make('strong', {}, text().events[what] ?? what), make('time', { datetime: when.toISOString() }, format.format(when))),
    about === '' ? undefined : make('p', {}, about),
    data.length > 0 ? make('p', { class: 'fine' }, data.map(say).join(separator)) : undefined,
    code === undefined ? undefined : make('p', { class: 'fine' }, reason && `${capital(say(reason))} `, make('code', {}, code)),
    revocable === undefined ? undefined : make('p', {}, revokeButton(revocable, openTrail)));
}

function go(view) {
  state.view = view;
  if (view === 'trail') query.set('view', 'trail');
  else query.delete('view');
  remember();
  drawFrame();
  return view === 'trail' ? openTrail() : openAsk(query.get('ask'));
}

function remember() {
  query.set('lang', state.language);
  history.replaceState(null, '', `?${query}`);
}

function drawFrame() {
  document.documentElement.lang = state.language === 'zh' ? 'zh-CN' : 'en';
  document.title = `${text()[state.view]} · ${text().brand}`;
  byId('brand').textContent = text().brand;
  byId('language').textContent = text().other;
  byId('language').lang = state.language === 'zh' ? 'en' : 'zh-CN';
  byId('nav').replaceChildren(...['ask', 'trail'].map((view) => make('button', { type: 'button', class: 'tab', 'aria-current': view === state.view ? 'page' : undefined, onclick: () => go(view) }, text()[view])));
  byId('owner').replaceChildren(...(state.owner === undefined ? [] : [`${text().owner} `, make('code', {}, state.owner)]));
}

byId('language').addEventListener('click', () => {
  state.language = state.language === 'zh' ? 'en' : 'zh';
  localStorage.setItem('language', state.language);
  remember();
  drawFrame();
  show(state.draw, { announce: false });
});

go(state.view);
call('/api/owner').then(({ owner }) => {
  state.owner = owner;
  drawFrame();
}, () => {});
