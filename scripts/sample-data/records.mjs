import { idNumber, uscc } from './codes.mjs';
import { centres, rowMakers, trades, words } from './rows.mjs';
import { seededDraw } from './seeded-draw.mjs';

/** How the records share out over kinds, in per cent; what rounding leaves is performance. */
const shares = Object.freeze({ entity: 10, qualification: 20, performance: 25, personnel: 20, credit: 15, project: 7, supervision: 3 });

/** Of a hundred owners, those that live at each centre. */
const homes = [...Array(45).fill(0), ...Array(25).fill(1), ...Array(30).fill(2)];
/** Quantiles of e^z for a standard normal z at −3, −2.5 … 3: a table, for Math.exp may differ between machines. */
const exponentials = [0.049787, 0.082085, 0.135335, 0.22313, 0.367879, 0.606531, 1, 1.648721, 2.718282, 4.481689, 7.389056, 12.182494, 20.085537];
const FIRST_YEAR = 2021;
const DAYS = 28 * 12;

const sequence = (index, length) => String(index).padStart(length, '0');

/** @typedef {import('./rows.mjs').Entity} Owner */
/** @typedef {{ centre: string, kind: string, row: Record<string, string>, owner?: Owner }} SampleRow */

/**
 * @param {number} records
 * @returns {Record<keyof typeof shares, number>} how many of each kind
 */
function countsOf(records) {
  const counts = Object.fromEntries(Object.entries(shares).map(([kind, share]) => [kind, Math.floor((records * share) / 100)]));
  counts.performance += records - Object.values(counts).reduce((sum, count) => sum + count, 0);
  return /** @type {Record<keyof typeof shares, number>} */ (counts);
}

/**
 * The same rows for the same numbers on any machine.
 * @param {number} records how many, 100 or more
 * @param {number} seed
 */
export function sampleRecords(records, seed) {
  const draw = seededDraw(seed);
  const counts = countsOf(records);
  const tenderers = Object.fromEntries(centres.map((centre) => [centre.id, { uscc: uscc(draw, '12', centre.region === '110000' ? '110100' : centre.region), name: `${centre.city}市示例项目建设中心` }]));
  const owners = makeOwners(draw, counts.entity);
  return { counts, owners, rows: () => rowsOf({ draw, counts, owners, tenderers, tag: sequence((seed * 7919) % 1000, 3) }) };
}

/** @returns {Owner[]} the largest first */
function makeOwners(draw, count) {
  const seen = new Set();
  return Array.from({ length: count }, (_, index) => {
    const centre = centres[draw.pick(homes)];
    const district = draw.pick(centre.districts);
    const code = unused(seen, () => uscc(draw, '91', district));
    const name = `${centre.city}${wordsAt(index)}示例${draw.pick(trades)}有限公司`;
    return { centre, district, uscc: code, name };
  });
}

/** Three words, other ones for each of the first 4096 owners. */
function wordsAt(index) {
  const count = words.length;
  return [index, Math.floor(index / count) + 5, Math.floor(index / (count * count)) + 11].map((place) => words[place % count]).join('');
}

/** @param {Set<string>} seen @param {() => string} make */
function unused(seen, make) {
  for (;;) {
    const value = make();
    if (seen.has(value)) continue;
    seen.add(value);
    return value;
  }
}

/** A sum of twelve uniforms is normal enough; the table between its points is straight. */
function lognormal({ random }, median, spread) {
  let z = -6;
  for (let term = 0; term < 12; term++) z += random();
  const place = Math.min(Math.max((z * spread + 3) * 2, 0), exponentials.length - 1.001);
  const left = Math.floor(place);
  return median * (exponentials[left] + (place - left) * (exponentials[left + 1] - exponentials[left]));
}

/** The day so many days (of months of 28) after the first, as YYYYMMDD. */
function dayAt(offset) {
  const month = Math.floor((offset % DAYS) / 28) + 1;
  return `${FIRST_YEAR + Math.floor(offset / DAYS)}${String(month).padStart(2, '0')}${String((offset % 28) + 1).padStart(2, '0')}`;
}

/**
 * Rows of two seeds have other keys: projects by the tag, all else by its owner or person.
 * Fixed rows draw from one year here and there; these lie over five, in amounts few of which are large, under keys no two share.
 * @returns {Generator<SampleRow>}
 */
function* rowsOf({ draw, counts, owners, tenderers, tag }) {
  const { below, pick, digits } = draw;
  const makers = rowMakers(draw, tenderers);
  const idNumbers = new Set();
  // The cube puts a fifth of the records on the first hundredth of the owners.
  const someOwner = () => {
    const u = draw.random();
    return owners[Math.floor(owners.length * (u * u * u))];
  };
  const somewhere = (owner) => (below(10) < 7 ? owner.centre : pick(centres));
  const project = (centre, index) => `${pick(['A', 'E', 'I'])}${pick(centre.districts)}${tag}${sequence(index, 7)}`;
  const amount = (median, spread) => lognormal(draw, median, spread).toFixed(2);
  const of = (kind, owner, row, centre = owner.centre) => ({ centre: centre.id, kind, row, owner });

  for (const owner of owners) yield of('entity', owner, { ...makers.entityRow(owner), REG_UNIT: '1', REG_CAPITAL: amount(2000, 1) });
  for (let index = 0; index < counts.qualification; index++) {
    const owner = someOwner();
    const row = makers.qualificationRow(owner, 0);
    yield of('qualification', owner, { ...row, 资质证书编号: `D${sequence(index, 9)}`, 发证日期: dayAt(below(5 * DAYS)) });
  }
  for (let index = 0; index < counts.performance; index++) {
    const owner = someOwner();
    const centre = somewhere(owner);
    const tender = `${project(centre, index)}001`;
    const signed = below(4 * DAYS);
    const completed = signed + 60 + below(DAYS - 120);
    yield of('performance', owner, {
      ...makers.performanceRow(owner, centre), SECTION_NO: tender, BID_SECTION_CODE: `${tender}${sequence(1 + below(5), 3)}`, BID_AMOUNT: amount(800, 1),
      CONTRACT_SIGN_DATE: `${dayAt(signed)}093000`, COMPLETE_TIME: dayAt(completed), END_TIME: dayAt(completed + below(60)),
    }, centre);
  }
  for (let index = 0; index < counts.personnel; index++) {
    const owner = someOwner();
    const row = makers.personnelRow(owner);
    const number = unused(idNumbers, () => idNumber(draw, owner.district, row.BIRTHDATE));
    yield of('personnel', owner, { ...row, ID_CARD: number, CERT_NO: `R${sequence(index, 10)}`, CONSENT_DATE: dayAt(below(5 * DAYS)) });
  }
  for (let index = 0; index < counts.credit; index++) {
    const owner = someOwner();
    const day = dayAt(below(5 * DAYS));
    const row = makers.creditRow(owner, below(3) === 0 ? '1' : '2');
    yield of('credit', owner, { ...row, CREDIT_CODE: `CR-${sequence(index, 12)}`, RECORD_DATE: `${day}100000`, YEAR: day.slice(0, 4) }, somewhere(owner));
  }
  for (let index = 0; index < counts.project; index++) {
    const centre = centres[pick(homes)];
    const code = project(centre, counts.performance + index);
    const row = makers.projectRow(centre, index);
    yield {
      centre: centre.id, kind: 'project',
      row: {
        ...row, PROJECT_CODE: code, REGION_CODE: code.slice(1, 7), TENDER_PROJECT_CODE: `${code}001`, BID_SECTION_CODE: `${code}001001`,
        CONTRACT_RECKON_PRICE: amount(3000, 1), PUBLISH_DATE: dayAt(below(5 * DAYS)),
      },
    };
  }
  for (let index = 0; index < counts.supervision; index++) {
    const owner = someOwner();
    const centre = somewhere(owner);
    const code = project(centre, counts.performance + counts.project + index);
    const row = makers.supervisionRow(centre, owner);
    yield { centre: centre.id, kind: 'supervision', row: { ...row, 监管事项编号: `SV-${sequence(index, 9)}-${digits(3)}`, 标段编号: `${code}001001` } };
  }
}
