/** Words that people put around the name of a thing without changing what it is. */
const fillers = /[\s_\-/\\.,:：;；、，。*★（）()[\]【】《》<>"'“”‘’]/g;
const chineseFillers = /^(?:所在|现|原|主要|本)|(?:名称|姓名|编号|号码|代码|信息|日期|时间)$/g;
/** Words that mean the same in headers of exports. */
const synonyms: readonly (readonly [RegExp, string])[] = [
  [/企业|公司|单位|机构|法人/g, '单位'],
  [/统一社会信用代码|社会信用代码|信用代码|组织机构代码证号|uscc|creditcode/gi, '统一社会信用代码'],
  [/证书编号|证书号码|证书号|证号/g, '证书编号'],
  [/编码|编号|代码|号码|no$|code$|number$/gi, '号'],
  [/截止|终止|到期|失效|有效期至|有效期止|止期|结束/g, '截止'],
  [/起始|开始|生效/g, '开始'],
  [/签署|签订|签约/g, '签署'],
  [/中标价格|中标价|中标金额|成交金额|成交价/g, '中标金额'],
  [/建设单位|业主|招标人|采购人|发包人/g, '招标人'],
  [/投标人|承包人|供应商|承建单位|施工单位/g, '投标人'],
  [/标段|标包|包件/g, '标段'],
  [/手机号码|手机|联系方式|电话/g, '电话'],
  [/身份证号码|身份证号|身份证|证件号码/g, '身份证件号'],
  [/行政区划|所属地区|所在地区|地区|辖区/g, '行政区域'],
];

/** A header reduced to what tells it from others: `企业名称（全称）` and `单位名称` come out alike. */
export function plainName(name: string): string {
  const half = name.normalize('NFKC').toLowerCase().replace(/\([^()]*\)/g, '').replace(fillers, '');
  return synonyms.reduce((text, [pattern, word]) => text.replace(pattern, word), half);
}

/** How alike two headers are, 0 to 1: 1 for the same name but for dress, else by the pairs of characters they share (Dice). */
export function likeness(left: string, right: string): number {
  const [one, other] = [plainName(left), plainName(right)];
  if (one === '' || other === '') return 0;
  if (one === other) return 1;
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  const inside = long.includes(short) && short.length >= 2 ? 0.6 + (0.35 * short.length) / long.length : 0;
  return Math.max(inside, 0.95 * dice(one, other), 0.9 * dice(core(one), core(other)));
}

/** The name without the word that only says what sort of value it is. */
function core(name: string): string {
  const bare = name.replace(chineseFillers, '').replace(/号$/, '');
  return bare === '' ? name : bare;
}

function dice(left: string, right: string): number {
  const pairs = (text: string): string[] => Array.from({ length: Math.max(1, text.length - 1) }, (_, at) => text.slice(at, at + 2));
  const [ofLeft, ofRight] = [pairs(left), pairs(right)];
  const rest = [...ofRight];
  let shared = 0;
  for (const pair of ofLeft) {
    const at = rest.indexOf(pair);
    if (at === -1) continue;
    rest.splice(at, 1);
    shared += 1;
  }
  return (2 * shared) / (ofLeft.length + ofRight.length);
}
