import type { Texts } from './texts.js';

/** Texts of members. */
export const membersWords = {
  'members.title': { zh: '成员', en: 'Members' },
  'members.lead': { zh: '经表决加入联盟的单位。', en: 'Organisations that a vote admitted to the consortium.' },
  'members.name': { zh: '名称', en: 'Name' },
  'members.kind': { zh: '类型', en: 'Kind' },
  'members.region': { zh: '地区', en: 'Region' },
  'members.host': { zh: '接入中心', en: 'Host' },
  'members.status': { zh: '状态', en: 'Status' },
  'members.admitted': { zh: '加入时间', en: 'Admitted' },
  'members.contact': { zh: '联系方式', en: 'Contact' },
  'members.organisation': { zh: '组织', en: 'Organisation' },
  'members.active': { zh: '有效', en: 'active' },
  'members.suspended': { zh: '已暂停', en: 'suspended' },
  'members.empty': { zh: '还没有成员', en: 'No members yet' },
  'members.emptyNext': { zh: '联盟成立后成员出现在这里。', en: 'They appear here once the consortium is founded.' },
  'members.self': { zh: '本中心', en: 'this centre' },
  'members.ownNode': { zh: '自有节点', en: 'own node' },
  'memberKind.centre': { zh: '交易中心', en: 'trading centre' },
  'memberKind.platform': { zh: '交易平台', en: 'bidding platform' },
  'memberKind.institution': { zh: '金融机构', en: 'financial institution' },
  'memberKind.supervisor': { zh: '监管部门', en: 'supervisor' },
} as const satisfies Texts;
