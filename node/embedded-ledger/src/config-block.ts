import { randomBytes } from 'node:crypto';
import { common, msp, orderer as ordererProtos } from '@hyperledger/fabric-protos';
import { signPieces } from './ecdsa.js';
import type { Peer } from './endorser.js';
import { CONFIG } from './proposal.js';
import { message, WireMessage } from './wire.js';

/** How many organisations must endorse: a rule of Fabric's, or a number. */
export type EndorsementRule = 'majority' | 'all' | 'any' | number;

export interface ConfiguredOrganisation {
  readonly mspId: string;
  /** PEM of the organisation's authority. */
  readonly authority: string;
}

/** The channel's configuration as block 0, or a later configuration block, states it. */
export interface ChannelConfiguration {
  readonly channel: string;
  readonly organisations: readonly ConfiguredOrganisation[];
  readonly ordererOrganisation: ConfiguredOrganisation;
  readonly endorsement: EndorsementRule;
  readonly batch: { readonly timeoutMs: number; readonly maxMessages: number; readonly maxBytes: number };
}

/** The consensus type written into the configuration, so that no reader takes this ledger for a replicated one. */
const CONSENSUS_TYPE = 'embedded-single-process';

const { MSPRole, MSPPrincipal } = msp;
type RoleNumber = msp.MSPRole.MSPRoleTypeMap[keyof msp.MSPRole.MSPRoleTypeMap];
type RuleNumber = common.ImplicitMetaPolicy.RuleMap[keyof common.ImplicitMetaPolicy.RuleMap];

function configValue(value: Uint8Array): common.ConfigValue {
  const result = new common.ConfigValue();
  result.setValue(value);
  result.setModPolicy('Admins');
  return result;
}

function configPolicy(type: number, value: Uint8Array): common.ConfigPolicy {
  const policy = new common.Policy();
  policy.setType(type);
  policy.setValue(value);
  const result = new common.ConfigPolicy();
  result.setPolicy(policy);
  result.setModPolicy('Admins');
  return result;
}

/** `needed` of the principals {organisation, role} must sign. */
function signaturePolicy(needed: number, principals: readonly { readonly mspId: string; readonly role: RoleNumber }[]): common.ConfigPolicy {
  const nOutOf = new common.SignaturePolicy.NOutOf();
  nOutOf.setN(needed);
  const envelope = new common.SignaturePolicyEnvelope();
  principals.forEach(({ mspId, role }, index) => {
    const roleMessage = new MSPRole();
    roleMessage.setMspIdentifier(mspId);
    roleMessage.setRole(role);
    const principal = new MSPPrincipal();
    principal.setPrincipalClassification(MSPPrincipal.Classification.ROLE);
    principal.setPrincipal(roleMessage.serializeBinary());
    envelope.addIdentities(principal);
    const signedBy = new common.SignaturePolicy();
    signedBy.setSignedBy(index);
    nOutOf.addRules(signedBy);
  });
  const rule = new common.SignaturePolicy();
  rule.setNOutOf(nOutOf);
  envelope.setRule(rule);
  return configPolicy(common.Policy.PolicyType.SIGNATURE, envelope.serializeBinary());
}

function metaPolicy(rule: RuleNumber, subPolicy: string): common.ConfigPolicy {
  const policy = new common.ImplicitMetaPolicy();
  policy.setRule(rule);
  policy.setSubPolicy(subPolicy);
  return configPolicy(common.Policy.PolicyType.IMPLICIT_META, policy.serializeBinary());
}

function unit(name: string, authority: Uint8Array): msp.FabricOUIdentifier {
  const result = new msp.FabricOUIdentifier();
  result.setCertificate(authority);
  result.setOrganizationalUnitIdentifier(name);
  return result;
}

function mspValue({ mspId, authority }: ConfiguredOrganisation): common.ConfigValue {
  const certificate = Buffer.from(authority);
  const units = new msp.FabricNodeOUs();
  units.setEnable(true);
  units.setClientOuIdentifier(unit('client', certificate));
  units.setPeerOuIdentifier(unit('peer', certificate));
  units.setAdminOuIdentifier(unit('admin', certificate));
  units.setOrdererOuIdentifier(unit('orderer', certificate));
  const crypto = new msp.FabricCryptoConfig();
  crypto.setSignatureHashFamily('SHA2');
  crypto.setIdentityIdentifierHashFunction('SHA256');
  const config = new msp.FabricMSPConfig();
  config.setName(mspId);
  config.setRootCertsList([certificate]);
  config.setCryptoConfig(crypto);
  config.setFabricNodeOus(units);
  const result = new msp.MSPConfig();
  result.setConfig(config.serializeBinary());
  return configValue(result.serializeBinary());
}

function organisationGroup(organisation: ConfiguredOrganisation): common.ConfigGroup {
  const { ADMIN, CLIENT, PEER } = MSPRole.MSPRoleType;
  const roles = (...of: readonly RoleNumber[]): common.ConfigPolicy => signaturePolicy(1, of.map((role) => ({ mspId: organisation.mspId, role })));
  const group = new common.ConfigGroup();
  group.getValuesMap().set('MSP', mspValue(organisation));
  group.getPoliciesMap().set('Admins', roles(ADMIN));
  group.getPoliciesMap().set('Readers', roles(ADMIN, PEER, CLIENT));
  group.getPoliciesMap().set('Writers', roles(ADMIN, CLIENT));
  group.getPoliciesMap().set('Endorsement', roles(PEER));
  group.setModPolicy('Admins');
  return group;
}

function endorsementPolicy(configuration: ChannelConfiguration): common.ConfigPolicy {
  const { ALL, ANY, MAJORITY } = common.ImplicitMetaPolicy.Rule;
  const rule = configuration.endorsement;
  if (typeof rule === 'number') {
    return signaturePolicy(rule, configuration.organisations.map(({ mspId }) => ({ mspId, role: MSPRole.MSPRoleType.PEER })));
  }
  return metaPolicy({ all: ALL, any: ANY, majority: MAJORITY }[rule], 'Endorsement');
}

function addStandardPolicies(group: common.ConfigGroup): void {
  const { ANY, MAJORITY } = common.ImplicitMetaPolicy.Rule;
  group.getPoliciesMap().set('Readers', metaPolicy(ANY, 'Readers'));
  group.getPoliciesMap().set('Writers', metaPolicy(ANY, 'Writers'));
  group.getPoliciesMap().set('Admins', metaPolicy(MAJORITY, 'Admins'));
  group.setModPolicy('Admins');
}

function applicationGroup(configuration: ChannelConfiguration): common.ConfigGroup {
  const group = new common.ConfigGroup();
  for (const organisation of configuration.organisations) group.getGroupsMap().set(organisation.mspId, organisationGroup(organisation));
  addStandardPolicies(group);
  group.getPoliciesMap().set('Endorsement', endorsementPolicy(configuration));
  return group;
}

function ordererGroup({ ordererOrganisation, batch }: ChannelConfiguration): common.ConfigGroup {
  const group = new common.ConfigGroup();
  group.getGroupsMap().set(ordererOrganisation.mspId, organisationGroup(ordererOrganisation));
  addStandardPolicies(group);
  const consensus = new ordererProtos.ConsensusType();
  consensus.setType(CONSENSUS_TYPE);
  const size = new ordererProtos.BatchSize();
  size.setMaxMessageCount(batch.maxMessages);
  size.setAbsoluteMaxBytes(batch.maxBytes);
  size.setPreferredMaxBytes(batch.maxBytes);
  const timeout = new ordererProtos.BatchTimeout();
  timeout.setTimeout(`${String(batch.timeoutMs)}ms`);
  group.getValuesMap().set('ConsensusType', configValue(consensus.serializeBinary()));
  group.getValuesMap().set('BatchSize', configValue(size.serializeBinary()));
  group.getValuesMap().set('BatchTimeout', configValue(timeout.serializeBinary()));
  return group;
}

/** The configuration as Fabric's group tree; equal configurations give equal bytes. */
export function channelGroupBytes(configuration: ChannelConfiguration): Uint8Array {
  const group = new common.ConfigGroup();
  group.getGroupsMap().set('Application', applicationGroup(configuration));
  group.getGroupsMap().set('Orderer', ordererGroup(configuration));
  addStandardPolicies(group);
  return group.serializeBinary();
}

/** A configuration transaction, signed by the ledger's orderer identity. */
export function configEnvelope(configuration: ChannelConfiguration, sequence: number, orderer: Peer, now: Date): Uint8Array {
  const milliseconds = now.getTime();
  const timestamp = message([1, Math.floor(milliseconds / 1000)], [2, (milliseconds % 1000) * 1_000_000]);
  const channelHeader = message([1, CONFIG], [3, timestamp], [4, configuration.channel]);
  const signatureHeader = message([1, orderer.identity], [2, randomBytes(24)]);
  const config = message([1, sequence], [2, channelGroupBytes(configuration)]);
  const payload = message([1, message([1, channelHeader], [2, signatureHeader])], [2, message([1, config])]).toBytes();
  return message([1, payload], [2, signPieces(orderer.key, payload)]).toBytes();
}

/** What a configuration block says: channel, sequence, organisations with their authorities, group tree. */
export function readConfigEnvelope(envelope: Uint8Array): {
  readonly channel: string;
  readonly sequence: number;
  readonly group: Uint8Array;
  readonly organisations: readonly ConfiguredOrganisation[];
} {
  const payload = new WireMessage(new WireMessage(envelope).bytes(1));
  const config = new WireMessage(payload.bytes(2)).message(1);
  const group = config.bytes(2);
  const application = common.ConfigGroup.deserializeBinary(group).getGroupsMap().get('Application');
  const organisations: ConfiguredOrganisation[] = [];
  application?.getGroupsMap().forEach((organisation: common.ConfigGroup, mspId: string) => {
    const value = organisation.getValuesMap().get('MSP')?.getValue_asU8() ?? new Uint8Array(0);
    const mspConfig = msp.FabricMSPConfig.deserializeBinary(msp.MSPConfig.deserializeBinary(value).getConfig_asU8());
    organisations.push({ mspId, authority: Buffer.from(mspConfig.getRootCertsList_asU8()[0] ?? []).toString() });
  });
  return { channel: new WireMessage(payload.message(1).bytes(1)).text(4), sequence: config.uint(1), group, organisations };
}

/** Organisations that must endorse, of so many. */
export function requiredEndorsements(rule: EndorsementRule, organisations: number): number {
  if (rule === 'all') return organisations;
  if (rule === 'any') return 1;
  return rule === 'majority' ? Math.floor(organisations / 2) + 1 : rule;
}
