import { describe, expect, it } from 'vitest';
import { importRow, bundledKind, mappedPlan, mappingShape, validateRecord, type CompiledKind } from '@huilian/protocol';
import { draftMapping, type MappingDraft } from '../src/core/mapping/draft-mapping.js';
import { suggestCorrection, usccCheckCharacter } from '../src/core/mapping/suggest-correction.js';
import { previewRows } from '../src/core/mapping/preview-rows.js';

function kindOf(name: string): CompiledKind {
  const kind = bundledKind(name, 1);
  if (kind === undefined) throw new Error(`no kind ${name}`);
  return kind;
}

function draft(kind: string, columns: Readonly<Record<string, readonly string[]>>): MappingDraft {
  const header = Object.keys(columns);
  const rows = Math.max(...Object.values(columns).map((cells) => cells.length));
  return draftMapping(kindOf(kind), header, Array.from({ length: rows }, (_, at) => header.map((column) => columns[column]?.[at] ?? '')));
}

/** Where each decided column goes. */
function decided({ columns }: MappingDraft): Record<string, string | undefined> {
  return Object.fromEntries(columns.filter((column) => column.decided).map(({ column, field, rule }) => [column, field ?? (rule !== undefined && 'ignore' in rule ? 'ignore' : undefined)]));
}

// Columns as platforms export them; companies, persons and codes are invented.
const exportsOfPlatforms: Readonly<Record<string, { readonly columns: Readonly<Record<string, readonly string[]>>; readonly sure: Readonly<Record<string, string>>; readonly open?: readonly string[] }>> = {
  qualification: {
    columns: { 序号: ['1', '2'], 企业信用代码: ['91440105ma6nnhc07c', '91440106MABAY5U732'], 企业名称: ['广州溪午示例园林有限公司', '广州苍梧示例园林有限公司'], 资质名称: ['机电工程施工总承包', '市政工程施工总承包'], 等级: ['三级', '二级'], 证书编号: ['D-1', 'D-2'], 发证日期: ['2020/7/2', '2021/11/12'], 有效期至: ['2028年6月26日', '2029年1月5日'], 发证机关: ['示例部门', '示例部门'] },
    sure: { 序号: 'ignore', 企业信用代码: 'holder.uscc', 企业名称: 'holder.name', 资质名称: 'qualification.name', 证书编号: 'certificate.number', 发证日期: 'certificate.issued', 有效期至: 'certificate.end', 发证机关: 'certificate.issuer' },
    open: ['等级'],
  },
  entity: {
    columns: {
      企业名称: ['广州溪午示例园林有限公司'], 统一社会信用代码: ['91440105MA6NNHC07C'], '注册资本(万元)': ['5,078.19'], 注册资本币种: ['人民币'], 营业执照号: ['91440105MA6NNHC07C'], 营业执照到期日期: ['长期'], 法定代表人: ['吴某戊'],
      法人代表电话: ['19900004658'], 联系人: ['王某乙'], 联系人电话: ['020-00009914'], 行政区划代码: ['440105'], 主体角色: ['投标人、供应商'], 邮箱: ['contact@sample.invalid'], 更新时间: ['2026-01-02 09:30:00'],
    },
    sure: { 企业名称: 'identity.name', 统一社会信用代码: 'identity.uscc', '注册资本(万元)': 'registration.capital', 注册资本币种: 'registration.currency', 营业执照到期日期: 'registration.licenceEnd', 法定代表人: 'representative.name', 联系人: 'contact.person', 行政区划代码: 'identity.region', 主体角色: 'identity.roles', 更新时间: 'ignore' },
  },
  performance: {
    columns: {
      中标单位统一社会信用代码: ['91440105MA6NNHC07C'], 招标项目编号: ['A4401060000000001001'], 标段编号: ['A4401060000000001001001'], 招标项目名称: ['示例工程'], 标段名称: ['示例工程一标段'], 招标人名称: ['示例建设中心'], 招标人代码: ['12440100MB2C000134'],
      中标金额: ['1234.56'], 合同签订时间: ['2024-1-2 9:30'], 竣工日期: ['2025.11.30'], 币种: ['人民币'],
    },
    sure: { 招标项目编号: 'section.tenderProjectCode', 标段编号: 'section.sectionCode', 招标项目名称: 'section.tenderProjectName', 标段名称: 'section.sectionName', 招标人名称: 'tenderer.name', 招标人代码: 'tenderer.uscc', 合同签订时间: 'contract.signedAt', 竣工日期: 'completion.endedOn', 币种: 'contract.currency' },
  },
  personnel: {
    columns: { 人员姓名: ['孙某甲'], 身份证号码: ['11010519491231002X'], 性别: ['男'], 出生年月日: ['1990-03-07'], 手机: ['19900018949'], 学历: ['本科'], 所属企业: ['广州溪午示例园林有限公司'], 企业统一社会信用代码: ['91440105MA6NNHC07C'], 在职: ['是'], 技术职称: ['工程师'], 资格证书编号: ['R-1'], 资格名称: ['注册建造师'] },
    sure: { 人员姓名: 'person.name', 性别: 'person.gender', 学历: 'person.education', 企业统一社会信用代码: 'employment.employer', 技术职称: 'employment.title', 资格证书编号: 'certificate.number', 资格名称: 'certificate.name' },
  },
  project: {
    columns: { project_code: ['A4401060000000001'], project_name: ['示例工程'], 项目所在地区: ['440106'], 标段编号: ['A4401060000000001001001'], 中标单位名称: ['广州溪午示例园林有限公司'], '中标价(元)': ['12345678.90'], 中标日期: ['2025/3/4'], 是否公开: ['是'] },
    sure: { project_code: 'project.code', project_name: 'project.name', 项目所在地区: 'project.region', 标段编号: 'section.code', '中标价(元)': 'award.amount', 中标日期: 'award.awardedOn', 是否公开: 'publication.published' },
  },
};

describe('a draft from the columns of a platform', () => {
  it.each(Object.entries(exportsOfPlatforms))('of %s decides what is sure, and nothing wrongly', (kind, { columns, open = [], sure }) => {
    const found = draft(kind, columns);
    const goesTo = decided(found);
    expect(goesTo).toMatchObject(sure);
    for (const column of open) expect(Object.keys(goesTo)).not.toContain(column);
    for (const { confidence, why } of found.columns) {
      expect(confidence).toBeGreaterThanOrEqual(0);
      expect(confidence).toBeLessThanOrEqual(100);
      expect([why.zh, why.en].every((text) => text !== '')).toBe(true);
    }
    expect(mappingShape.read(found.mapping)).toEqual(found.mapping);
    expect(Object.keys(found.mapping.columns)).toEqual(Object.keys(columns));
  });

  it('reads what it decided as it is meant', () => {
    const { mapping } = draft('entity', exportsOfPlatforms['entity']?.columns ?? {});
    const kind = kindOf('entity');
    const row = Object.fromEntries(Object.entries(exportsOfPlatforms['entity']?.columns ?? {}).map(([column, [cell = '']]) => [column, cell]));
    expect(importRow(kind, row, mappedPlan(kind, mapping)).fields).toMatchObject({
      identity: { uscc: '91440105MA6NNHC07C', roles: ['03', '06'], region: '440105' }, registration: { capital: '5078190000', currency: 'CNY', licenceEnd: '9999-12-31' },
    });
  });

  it('names what is missing, and leaves an amount without a unit open', () => {
    const found = draft('performance', exportsOfPlatforms['performance']?.columns ?? {});
    expect(found.columns.find(({ column }) => column === '中标金额')).toMatchObject({ decided: false, field: 'contract.amount', why: { zh: expect.stringContaining('单位') as string } });
    expect(found.missing).toEqual(expect.arrayContaining(['contract.amount', 'contract.tradeType']));
    expect(found.mapping.columns['中标金额']).toHaveProperty('open');
  });

  it('takes national columns as they are, with the form of their dates', () => {
    const found = draft('qualification', { LEGAL_CODE: ['91440105MA6NNHC07C'], QUAL_CERT_END_DATE: ['2028/6/26'], DATA_TIMESTAMP: ['20260102093000'] });
    expect(found.mapping.columns).toEqual({ LEGAL_CODE: { as: 'LEGAL_CODE' }, QUAL_CERT_END_DATE: { to: 'certificate.end', formats: ['yyyy/M/d'] }, DATA_TIMESTAMP: { as: 'DATA_TIMESTAMP' } });
  });

  it('is refused where the header is data, a name is missing or comes twice, and repeats nothing of it', () => {
    const refusal = (header: readonly string[]): unknown => {
      try {
        return draftMapping(kindOf('personnel'), header, []);
      } catch (error) {
        return error;
      }
    };
    const data = refusal(['11010519491231002X', '孙某甲', '19900018949']) as Error;
    expect(data).toMatchObject({ code: 'BAD_FIELD', details: { path: '/header', reason: 'looks-like-data' } });
    expect(String(data)).not.toMatch(/110105|孙某甲|199000/);
    expect(refusal(['姓名', '姓名'])).toMatchObject({ details: { path: '/header/1', reason: 'twice' } });
    expect(refusal(['姓名', ' '])).toMatchObject({ details: { path: '/header/1', reason: 'empty' } });
  });
});

describe('a preview', () => {
  const mapping = { format: 'mapping/1', kind: 'qualification', schema: 1, columns: { 代码: { as: 'LEGAL_CODE' }, 名称与类别: { split: { by: '/', into: [{ to: 'qualification.name' }, { to: 'qualification.type' }] } }, 等级: { as: 'QUAL_LEVEL' }, 证书: { as: 'QUAL_CERT_NO' }, 至: { as: 'QUAL_CERT_END_DATE' }, 备注: { ignore: true } } };
  const good = { 代码: '91440105MA6NNHC07C', 名称与类别: '机电/A10102', 等级: '03', 证书: 'D-1', 至: '20280626', 备注: '示例' };

  it('shows cells beside fields, and problems with their columns', () => {
    const found = previewRows(kindOf('qualification'), mapping, [good, { ...good, 代码: '91440105MA6NNHC07D' }]);
    expect(found).toMatchObject({ mappingProblems: [], ok: 1, refused: 1 });
    expect(found.rows[0]?.cells).toEqual([
      { column: '代码', cell: '91440105MA6NNHC07C', fields: ['holder.uscc'] }, { column: '名称与类别', cell: '机电/A10102', fields: ['qualification.name', 'qualification.type'] }, { column: '等级', cell: '03', fields: ['qualification.level'] },
      { column: '证书', cell: 'D-1', fields: ['certificate.number'] }, { column: '至', cell: '20280626', fields: ['certificate.end'] }, { column: '备注', cell: '示例', fields: [] },
    ]);
    expect(found.rows[1]?.problems).toMatchObject([{ path: '/holder/uscc', columns: ['代码'], suggestion: { en: expect.stringContaining('would be C') as string } }]);
  });

  it('lists everything that is wrong with the mapping itself', () => {
    const { mappingProblems } = previewRows(kindOf('qualification'), { ...mapping, columns: { ...mapping.columns, 证书: { open: 'unsure' }, 等级: { to: 'qualification.grade' } } }, []);
    expect(mappingProblems.map(({ code, field, path }) => [code, path, field])).toEqual([
      ['unknown-field', '/columns/等级/to', 'qualification.grade'], ['column-open', '/columns/证书', undefined], ['required-field-lost', '', 'qualification.level'], ['required-field-lost', '', 'certificate.number'],
    ]);
  });

  it('works without a mapping: national columns alone', () => {
    expect(previewRows(kindOf('qualification'), undefined, [{ LEGAL_CODE: '91440105MA6NNHC07C' }]).rows[0]?.cells).toEqual([{ column: 'LEGAL_CODE', cell: '91440105MA6NNHC07C', fields: ['holder.uscc'] }]);
  });
});

describe('suggestions', () => {
  const suggestion = (kind: string, row: Record<string, string>, code: string) => {
    const { rows: [previewed] } = previewRows(kindOf(kind), undefined, [row]);
    const problem = previewed?.problems.find((one) => one.code === code);
    expect(previewed?.problems.map((one) => one.code)).toContain(code);
    return problem?.suggestion;
  };
  const entity = {
    LEGAL_NAME: '示例公司', LEGAL_CODE: '91440105MA6NNHC07C', BIDDER_CODE_TYPE: '1', LEGAL_ROLE: '03', LEGAL_TYPE: '1', LEGAL_REPRESENT: '示例', COUNTRY_REGION: 'CHN', REGION_CODE: '440105', LICENSE_NO: 'S-1', LICENSE_END_DATE: '20341019',
    REG_CAPITAL: '5', REG_CAP_CURRENCY: 'CNY', REG_UNIT: '1', LEGAL_CONTACT: '示例', LEGAL_CONTACT_PHONE: '020-00009914', LEGAL_STATUS: '1', TAX_CERT_NO: 'S-1',
  };

  it('begin from a row that is good', () => {
    expect(validateRecord('entity', 1, importRow(kindOf('entity'), entity).data)).toMatchObject({ ok: true });
  });

  it.each([
    ['a wrong check character, without inventing the code', { LEGAL_CODE: '91440105MA6NNHC07D' }, 'uscc-check-character', { zh: /校验码应为 C/ }],
    ['small and wide letters', { LEGAL_CODE: '９１440105ma6nnhc07c' }, 'pattern', { value: /^91440105MA6NNHC07C$/ }],
    ['a form of dates', { LICENSE_END_DATE: '2034年10月19日' }, 'date8-unreadable', { zh: /yyyy年M月d日/ }],
    ['a day number', { LICENSE_END_DATE: '46930' }, 'date8-unreadable', { en: /excel/ }],
    ['without end', { LICENSE_END_DATE: '长期' }, 'date8-unreadable', { value: /^9999-12-31$/ }],
    ['thousands', { REG_CAPITAL: '5,078.19' }, 'amount-unreadable', { en: /thousands/ }],
    ['no unit', { REG_UNIT: '' }, 'amount-unit-missing', { zh: /单位/ }],
    ['a prefecture in four digits', { REGION_CODE: '4401' }, 'pattern', { value: /^440100$/ }],
    ['a region that does not exist', { REGION_CODE: '440199' }, 'region-unknown-region', { zh: /广东省广州市/ }],
    ['an empty required cell', { LEGAL_NAME: '' }, 'required', { zh: /LEGAL_NAME/ }],
    ['an unknown column like a known one', { 企业注册地行政区域代码: '440105' }, 'unknown-column', { zh: /行政区域代码/ }],
  ] as const)('for %s', (_what, change, code, expected) => {
    const found = suggestion('entity', { ...entity, ...change }, code);
    for (const [part, pattern] of Object.entries(expected)) expect(String(found?.[part as 'en'])).toMatch(pattern as RegExp);
    expect([found?.zh, found?.en].every((text) => typeof text === 'string' && text !== '')).toBe(true);
  });

  it('name the one check character that fits', () => {
    expect(usccCheckCharacter('91440105MA6NNHC07')).toBe('C');
  });

  it('fall back to the next step of the code', () => {
    expect(suggestCorrection({ code: 'SCHEMA_UNKNOWN', problem: { path: '', code: 'not-adopted', zh: '', en: '' } }).en).toContain('governance');
  });
});
