import { describe, expect, it } from 'vitest';
import * as protocol from '@huilian/protocol';
import type { ImportedRow, JsonObject } from '@huilian/protocol';

// Codes of nobody: right check characters, invented bodies.
const COMPANY = '91440101MA5CK8T02A';
const TENDERER = '12440100MB2C000134';

type Row = Record<string, string>;

function definition(kind: string): protocol.KindDefinition {
  const found = protocol.kindDefinition(kind, 1);
  if (found === undefined) throw new Error(`no kind ${kind}`);
  return found;
}

function imported(kind: string, row: Row): ImportedRow {
  return protocol.importRow(definition(kind), row);
}

/** The record of a row that must import and be valid. */
function record(kind: string, row: Row): JsonObject {
  const { data, problems } = imported(kind, row);
  expect(problems).toEqual([]);
  expect(protocol.validateRecord(kind, 1, data).problems).toEqual([]);
  return data as JsonObject;
}

function codes({ problems }: { problems: readonly { code: string }[] }): string[] {
  return problems.map(({ code }) => code);
}

const performance: Row = {
  BIDDER_NO: COMPANY, SECTION_NO: 'A4401060000000001001', BID_SECTION_CODE: 'A4401060000000001001001', SECTION_NAME: '示例工程', BID_SECTION_NAME: '示例工程一标段',
  TENDER_NO: TENDERER, TENDER_NAME: '示例建设中心', BID_AMOUNT: '1234.567891', MONEY_UNIT: '1', TRADE_TYPE: 'A01', CURRENCY: '156', CONTRACT_SIGN_DATE: '20240102093000',
};
const body = { BODY_NAME: '示例公司', BODY_CODE: COMPANY, BODY_TYPE: '1', BODY_ROLE: '03' };

describe('national columns', () => {
  // Columns of the national data sets as their one accessible rendering names them, misspellings included.
  const sets: Readonly<Record<string, string>> = {
    entity:
      'LEGAL_NAME BIDDER_CODE_TYPE LEGAL_CODE LEGAL_ROLE LICENSE_NO LICENSE_END_DATE TAX_CERT_NO TAX_CERT_END_DATE LOCAL_TAX_CERT_NO LOCAL_TAX_CERT_END_DATE ORGAN_NO LEGAL_REPRESENT LEGAL_TYPE REPRESENT_PHONE LEGAL_INDUSTRY CREDIT_RATE COUNTRY_REGION LEGAL_UNIT_ADDRESS REGION_CODE REGISTER_PROVINCE REGISTER_CITY BASIC_BANK BASIC_BRANCH_BANK BASIC_ACCOUNT_NO BASIC_ACCOUNT_NAME REG_CAPITAL REG_CAP_CURRENCY REG_UNIT LEGAL_CONTACT LEGAL_CONTACT_PHONE LEGAL_CONTACT_ADDRESS LEGAL_WEB LEGAL_ZIP_CODE LEGAL_EMAIL LEGAL_STATUS',
    qualification: 'LEGAL_CODE QUAL_LEVEL QUAL_NAME QUAL_TYPE QUAL_CERT_NO QUAL_CERT_END_DATE CUSTOM_DEFINITION_DATAITEM',
    performance:
      'BIDDER_NO SECTION_NO BID_SECTION_CODE SECTION_NAME BID_SECTION_NAME TENDER_NO TENDER_NAME BID_AMOUNT TRADE_TYPE CURRENCY MONEY_UNIT CONTRACT_SIGN_DATE COMPLETE_TIME END_TIME EVALUATE APPROVAL_NUMBER',
    personnel:
      'ID_CARD ID_CARD_TYPE PERSON_NAME GENDER BIRTHDATE REGION_CODE PERSON_EDU PERSON_PHONE UNIT_CODE UNIT_NAME ON_JOB JOB TECH_TITLE WORK_START_DATE WORKING_EXPERIENCE QUAL_NAME QUAL_TYPE CERT_NO CERT_END_DATE OWNER_NO OWNER_NAME CONTRACT_AMOUNT SETTLE_AMOUNT CONTRACT_FINISH_DATE',
    credit:
      'BLACKLIST_CODE BODY_NAME BODY_CODE BODY_TYPE BODY_ROLE RECORD_REASON RECORD_DATE GOVERNMENT DOCUMENT_CODE REVOCATION_STATUS CONFINED_ACTION SCOPE REVOCATIONEASONS ROPOSER APPLICATION_DATE VIOLATING_CODE AREA REWARD_PUNISHMENT_BODY UNIFIED_DEAL_CODE PUNISHMENT_BASIS PUNISHMENT_RESULT OPERATE_DATE DATA SCORE_SYSTEM_NAME YEAR QUARTER SCORE PROJECT_RANK PROVINCE_RANK',
    supervision: 'TRADE_STEP APPROVAL_PROJECT LAW IS_PAST CONTENT SIGNATURE SUPERVISORY_NODE ALERT_LEVEL ALERT_INFO HANDLED HANDLE_RESULT ENTER_CREDIT_PLAT',
    project: 'PROJECT_CODE INVEST_PROJECT_CODE RELATE_CODE TENDER_PROJECT_CODE TENDER_PROJECT_TYPE BID_SECTION_CODE UNIFIED_DEAL_CODE CONTRACT_RECKON_PRICE',
  };

  it.each(Object.entries(sets))('of %s are all known, and what every set carries too', (kind, columns) => {
    const known = definition(kind).import;
    const wanted = [...columns.split(' '), 'PLATFORM_CODE', 'PUB_SERVICE_PLAT_CODE', 'DATA_TIMESTAMP'];
    expect(wanted.filter((column) => !Object.hasOwn(known, column))).toEqual([]);
  });

  it.each(protocol.bundledKinds().map(({ kind }) => kind))('reach every field of %s that a cell can hold, and each field has a Chinese column', (kind) => {
    const { import: rules, document } = definition(kind);
    const reached = new Set(Object.values(rules).map(({ path }) => path));
    const chinese = new Set(Object.entries(rules).filter(([column]) => /\p{Script=Han}/u.test(column)).map(([, { path }]) => path));
    const claims = document['properties'] as Record<string, { type: string; properties?: object }>;
    const fields = Object.entries(claims).flatMap(([claim, shape]) => Object.keys(shape.properties ?? {}).map((field) => `${claim}.${field}`));
    expect(fields.filter((path) => !reached.has(path))).toEqual([]);
    expect(fields.filter((path) => !chinese.has(path))).toEqual([]);
  });

  it('are known in small letters, as databases fold them, and with blanks around them', () => {
    const small = Object.fromEntries(Object.entries(performance).map(([column, cell], index) => [index % 2 === 0 ? column.toLowerCase() : ` ${column} `, cell]));
    expect(record('performance', small)).toEqual(record('performance', performance));
    const blacklist = { blacklist_code: 'BL-SAMPLE-1', body_name: '示例公司', body_code: COMPANY };
    expect(imported('credit', blacklist).data).toEqual({ entry: { code: 'BL-SAMPLE-1', category: 'blacklist' }, body: { name: '示例公司', uscc: COMPANY } });
    // Which of two is meant is not guessed.
    expect(imported('entity', { LEGAL_NAME: '甲', legal_name: '乙' }).problems).toMatchObject([{ code: 'unknown-column', path: '/column-2' }]);
    expect(imported('entity', { Legal_Name: '甲', legal_name: '乙' }).problems.map(({ code }) => code)).toEqual(['unknown-column', 'unknown-column']);
  });

  it('misspelt at the source mean what they are meant to', () => {
    const row = { BLACKLIST_CODE: 'BL-SAMPLE-1', ...body, REVOCATIONEASONS: '示例原因', ROPOSER: '示例部门', APPLICATION_DATE: '20250620', SCOPE: '1' };
    expect(record('credit', row)).toMatchObject({ withdrawal: { reason: '示例原因', proposer: '示例部门', appliedOn: '2025-06-20' } });
  });
});

describe('which set a row is of', () => {
  const blacklist = {
    BLACKLIST_CODE: 'BL-SAMPLE-1', ...body, RECORD_REASON: '示例行为', RECORD_DATE: '20240115100000', GOVERNMENT: '示例部门', DOCUMENT_CODE: '示例1号', REVOCATION_STATUS: '0', CONFINED_ACTION: '1', SCOPE: '1',
  };
  const withdrawal = { BLACKLIST_CODE: 'BL-SAMPLE-1', ...body, REVOCATIONEASONS: '示例原因', ROPOSER: '示例部门', APPLICATION_DATE: '20250620', SCOPE: '1' };

  it('follows from its columns', () => {
    expect(record('credit', blacklist)).toMatchObject({ entry: { category: 'blacklist', code: 'BL-SAMPLE-1', withdrawn: false } });
    expect(record('credit', withdrawal)).toMatchObject({ entry: { category: 'withdrawal' }, withdrawal: { blacklistCode: 'BL-SAMPLE-1' } });
    expect(record('credit', { ...body, SCORE_SYSTEM_NAME: '示例评价', YEAR: '2026', SCORE: '96.5' })).toMatchObject({ entry: { category: 'score' } });
  });

  it('keeps a withdrawal a record of its own beside the entry it withdraws', () => {
    const [entry, ended] = [blacklist, withdrawal].map((row) => protocol.recordFacts('credit', 1, record('credit', row)));
    expect(entry?.naturalKey).not.toBe(ended?.naturalKey);
    expect(entry?.subject).toBe(ended?.subject);
  });

  it('is what the row says where it says so', () => {
    expect(record('credit', { ...blacklist, CREDIT_CATEGORY: '奖励' })).toMatchObject({ entry: { category: 'award' } });
  });

  it('tells the scores of two quarters apart, which carry no code', () => {
    const keys = ['1', '2'].map((QUARTER) => protocol.recordFacts('credit', 1, record('credit', { ...body, SCORE_SYSTEM_NAME: '示例评价', YEAR: '2026', QUARTER, SCORE: '9' })).naturalKey);
    expect(new Set(keys).size).toBe(2);
  });
});

describe('amounts', () => {
  const fen = (BID_AMOUNT: string, MONEY_UNIT: string): unknown => {
    const row = imported('performance', { BID_AMOUNT, MONEY_UNIT });
    return row.data === undefined ? codes(row) : (row.data['contract'] as JsonObject)['amount'];
  };

  it.each([
    ['1', '0', '100'], ['0.01', '0', '1'], ['1.5', '元', '150'], ['1', '1', '1000000'], ['0.000001', '1', '1'], ['1234.567891', '万元', '1234567891'],
    ['0', '1', '0'], ['000012', '0', '1200'], ['99999999999999', '0', '9999999999999900'], ['1.100000', '0', '110'],
  ])('%s with unit %s is %s fen', (text, unit, expected) => {
    expect(fen(text, unit)).toBe(expected);
  });

  it.each(['1.001', '0.0000001', '-1', '1,000', '1e3', '１２', '12万', '1.', '.5', '+1', 'NaN', '0x10', '123456789012345'])('%s is refused', (text) => {
    expect(fen(text, '0')).toEqual(['amount-unreadable']);
  });

  it('without a unit, or with one nobody knows, are refused instead of guessed', () => {
    expect(fen('4001.68', '')).toEqual(['amount-unit-missing']);
    expect(codes(imported('performance', { BID_AMOUNT: '4001.68' }))).toEqual(['amount-unit-missing']);
    expect(fen('4001.68', '2')).toEqual(['amount-unreadable']);
    expect(fen('4001.68', 'constructor')).toEqual(['amount-unreadable']);
  });

  it('of two kinds in one row each take their own unit', () => {
    const data = imported('project', { CONTRACT_RECKON_PRICE: '5', PRICE_UNIT: '1', BID_AMOUNT: '5', MONEY_UNIT: '0' }).data;
    expect(data).toEqual({ section: { estimate: '5000000' }, award: { amount: '500' } });
  });
});

describe('cells', () => {
  const cell = (kind: string, column: string, text: string): unknown => {
    const row = imported(kind, { [column]: text });
    return row.data === undefined ? codes(row) : Object.values(row.data).flatMap((claim) => Object.values(claim as object))[0];
  };

  it.each([['20240229', '2024-02-29'], ['2024-02-29', '2024-02-29'], ['99991231', '9999-12-31']])('date %s', (text, expected) => {
    expect(cell('entity', 'LICENSE_END_DATE', text)).toBe(expected);
  });
  it.each(['2024', '2024/02/29', '2024年2月29日', '240229', '2024022', '２０２４０２２９'])('date %s is refused', (text) => {
    expect(cell('entity', 'LICENSE_END_DATE', text)).toEqual(['date8-unreadable']);
  });

  it.each([['20240102093000', '2024-01-02T09:30:00+08:00'], ['20240102', '2024-01-02T00:00:00+08:00'], ['2024-01-02 09:30:00', '2024-01-02T09:30:00+08:00']])('time %s', (text, expected) => {
    expect(cell('performance', 'CONTRACT_SIGN_DATE', text)).toBe(expected);
  });
  it.each(['2024010209', '20240102093000Z', '09:30'])('time %s is refused', (text) => {
    expect(cell('performance', 'CONTRACT_SIGN_DATE', text)).toEqual(['datetime14-unreadable']);
  });

  it.each([['1', true], ['0', false], ['是', true], ['否', false]])('boolean %s', (text, expected) => {
    expect(cell('personnel', 'ON_JOB', text)).toBe(expected);
  });
  it.each(['2', 'true', 'Y', 'constructor', '__proto__'])('boolean %s is refused', (text) => {
    expect(cell('personnel', 'ON_JOB', text)).toEqual(['boolean01-unreadable']);
  });

  it('lists are split at either semicolon', () => {
    expect(cell('entity', 'LEGAL_ROLE', ' 03;06；02; ')).toEqual(['03', '06', '02']);
  });

  it.each([['156', 'CNY'], ['CNY', 'CNY'], ['840', 'USD']])('currency %s', (text, expected) => {
    expect(cell('performance', 'CURRENCY', text)).toBe(expected);
  });

  it('are trimmed, in NFC and with plain line ends; blank ones are absent', () => {
    expect(cell('performance', 'EVALUATE', '  Cafe\u0301\r\n第二行 ')).toBe('Café\n第二行');
    expect(imported('performance', { EVALUATE: '   ', BID_AMOUNT: '' }).data).toEqual({});
  });

  it('come to the record that the row means', () => {
    expect(record('performance', performance)).toEqual({
      bidder: { uscc: COMPANY },
      section: { tenderProjectCode: 'A4401060000000001001', sectionCode: 'A4401060000000001001001', tenderProjectName: '示例工程', sectionName: '示例工程一标段' },
      tenderer: { uscc: TENDERER, name: '示例建设中心' },
      contract: { amount: '1234567891', currency: 'CNY', signedAt: '2024-01-02T09:30:00+08:00', tradeType: 'A01' },
    });
  });
});

describe('nothing is lost or guessed', () => {
  it('a column the kind does not know refuses the row', () => {
    const row = imported('performance', { ...performance, 内部备注: '示例' });
    expect(row.data).toBeUndefined();
    expect(codes(row)).toEqual(['unknown-column']);
    expect(row.unknownColumns).toEqual(['内部备注']);
  });

  it('two columns for one field may agree, not differ', () => {
    expect(record('performance', { ...performance, 投标人代码: COMPANY })).toMatchObject({ bidder: { uscc: COMPANY } });
    expect(imported('performance', { ...performance, 投标人代码: TENDERER }).problems).toMatchObject([{ path: '/bidder/uscc', code: 'columns-disagree' }]);
  });

  it('names from an object’s own machinery are columns nobody knows', () => {
    for (const column of ['constructor', 'toString', 'hasOwnProperty']) expect(codes(imported('entity', { [column]: 'x' }))).toEqual(['unknown-column']);
    const row = JSON.parse('{"__proto__":"x"}') as Row;
    expect(codes(imported('entity', row))).toEqual(['unknown-column']);
  });
});

describe('problems never repeat what a row holds', () => {
  const secrets = ['440103198508031522', '孙某甲', '19900018949', 'R3390524856', 'someone@sample.invalid', '62005638471147', 'E12345678'];

  it('also where the file has no header row and its first row was taken for one', () => {
    const row = Object.fromEntries(secrets.map((secret) => [secret, secret]));
    const text = JSON.stringify(imported('personnel', row).problems);
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    expect(imported('personnel', row).problems.map(({ path }) => path)).toEqual(secrets.map((_, index) => `/column-${String(index + 1)}`));
  });

  it('but name a national column, so that the operator finds it', () => {
    expect(imported('personnel', { NEW_NATIONAL_FIELD: 'x' }).problems).toMatchObject([{ path: '/NEW_NATIONAL_FIELD' }]);
  });

  it('whatever column a wrong value stands in', () => {
    for (const { kind, import: rules } of protocol.bundledKinds()) {
      for (const column of Object.keys(rules)) {
        for (const secret of secrets) {
          const { data, problems } = imported(kind, { [column]: secret });
          const all = [...problems, ...(data === undefined ? [] : protocol.validateRecord(kind, 1, data).problems)];
          expect(JSON.stringify(all)).not.toContain(secret);
        }
      }
    }
  });
});
