import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { attestArgumentShape, attestationOutcomeShape, comparedShape, fieldMapShape, flagCodes, integer, kindShape, object, oneOf, optional, ownerIdShape, parseRecordId, ProtocolError, readRecordStatement, recordId, recordIdShape, recordStatementEnvelopeShape, text, type ErrorCode, type FlagCode, type PlacedHeader, type Read } from '@huilian/protocol';
import { ownCopyShape } from '../../core/owner-view/send-own-copy.js';
import { parameter } from './act-objects.js';
import { answers, pageQuery } from './answer-schemas.js';
import { Operator, SignedIn } from './caller.js';
import { Cursors } from './cursors.js';
import { readQuery } from './declared-guard.js';
import { daily, Declare, everyRole, jsonHeader, ledgerCodes, readLater, tokenHeader, type ActCall } from './declare-route.js';
import { viewAnswers } from './owner-view-answers.js';
import { NodeServices } from './node-services.js';
import type { OperatorCaller, SignedInCaller } from './sign-in.js';

/** A day, `YYYY-MM-DD`. */
const dayShape = text(/\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])/, 10);
const viewQuery = object({ asOf: optional(dayShape), kind: optional(kindShape) });
const flagQuery = object({ ...pageQuery, code: optional(oneOf(...(Object.keys(flagCodes) as readonly FlagCode[]))), recordId: optional(recordIdShape) });
const attestationBody = object({ compared: comparedShape, outcome: attestationOutcomeShape, version: optional(integer(1)) });
const recordCodes: readonly ErrorCode[] = ['BAD_ID', 'RECORD_UNKNOWN', 'RECORD_STALE', 'RECORD_REVOKED', 'RECORD_CONTESTED', 'RECORD_SEALED', ...ledgerCodes];

/** What is known of an owner from all centres, and what centres and owners say of single records. */
@Controller('v1')
export class OwnerViewController {
  public constructor(
    private readonly services: NodeServices,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'ownerView', roles: daily, act: 'owner.view', object: parameter('owner'), en: "one view of an owner: this centre's records merged claim by claim, headers of all centres", zh: '权属人视图：本中心记录逐项合并，其他中心仅记录头', who: 'operator', query: viewQuery, answer: viewAnswers.ownerView, codes: ['BAD_ID', 'VAULT_CORRUPT'], curl: `curl -s ${tokenHeader} "$NODE/v1/owners/$OWNER/view?kind=entity"` })
  @Get('owners/:owner/view')
  public async view(@Operator() _operator: OperatorCaller, @Param('owner') owner: string, @Query() query: Record<string, string>): Promise<object> {
    const { asOf, kind } = readQuery({ query: viewQuery }, query) as Read<typeof viewQuery>;
    const view = await this.services.ownerView.view(ownerIdShape.read(owner), kind, asOf);
    return { ...view, flags: view.flags.map(({ code, recordIds }) => ({ code, recordIds, zh: flagCodes[code].zh, en: flagCodes[code].en })) };
  }

  @Declare({ id: 'prefill', roles: daily, act: 'owner.view', object: parameter('owner'), en: "a form filled from this centre's records of an owner by a declared field map, with a reuse report", zh: '按字段映射预填表单并报告复用情况', who: 'operator', query: viewQuery, body: readLater(fieldMapShape), answer: viewAnswers.prefilled, codes: ['BAD_ID', 'VAULT_CORRUPT'], curl: `curl -s ${tokenHeader} ${jsonHeader} -d @$FIELD_MAP $NODE/v1/owners/$OWNER/prefill` })
  @Post('owners/:owner/prefill')
  @HttpCode(200)
  public async prefilled(@Operator() _operator: OperatorCaller, @Param('owner') owner: string, @Query() query: Record<string, string>, @Body() body: unknown): Promise<object> {
    const { kind } = readQuery({ query: viewQuery }, query) as Read<typeof viewQuery>;
    return await this.services.ownerView.prefill(ownerIdShape.read(owner), body, kind);
  }

  @Declare({ id: 'ownCopy', en: "an owner's own data from all centres, encrypted to its key, by its grant for an own copy", zh: '权属人自查：各中心数据加密至其密钥', who: 'anyone', body: readLater(ownCopyShape), counted: true, answer: viewAnswers.ownCopy, codes: ['OWNER_UNKNOWN', 'GRANT_WRONG_GRANTEE', 'GRANT_WRONG_PURPOSE', 'GRANT_BAD_SIGNATURE', 'GRANT_NONCANONICAL_SIG', 'GRANT_WRONG_DOMAIN', 'GRANT_SUITE_UNSUPPORTED', 'GRANT_NOT_YET_VALID', 'GRANT_EXPIRED', 'GRANT_REVOKED', 'PURPOSE_UNKNOWN', 'NOT_FOUNDED'], curl: `curl -s ${jsonHeader} -d @$OWN_COPY $NODE/v1/own-copies` })
  @Post('own-copies')
  @HttpCode(200)
  public async ownCopy(@Body() body: unknown): Promise<object> {
    return await this.services.ownCopies.send(body);
  }

  @Declare({ id: 'statements', roles: everyRole, en: 'what other centres attested and its owner stated on a record', zh: '记录的佐证与权属人声明', who: 'signed-in', answer: viewAnswers.recordWords, codes: ['BAD_ID', 'RECORD_UNKNOWN'], curl: `curl -s ${tokenHeader} $NODE/v1/records/$RECORD/statements` })
  @Get('records/:publisher/:kind/:localId/statements')
  public async statements(@SignedIn() _caller: SignedInCaller, @Param() place: Record<string, string>): Promise<object> {
    const id = recordIdOf(place);
    const { readModel } = this.services;
    const record = readModel.record(id);
    if (record === undefined) throw new ProtocolError('RECORD_UNKNOWN', { record: id });
    const [attestations, statements] = await Promise.all([readModel.attestations(id), readModel.statements(id)]);
    return { recordId: id, version: record.header.version, attestations, statements };
  }

  @Declare({ id: 'attest', roles: daily, act: 'records.attest', object: recordOf, en: "this centre's word on another centre's record", zh: '佐证其他中心的记录', who: 'operator', body: attestationBody, answer: answers.committed, also: [202], codes: ['NOT_A_CENTRE', 'ATTESTATION_UNKNOWN', ...recordCodes], curl: `curl -s ${tokenHeader} ${jsonHeader} -d '{"compared":["contract","site"],"outcome":"agrees"}' $NODE/v1/records/$OTHERS_RECORD/attestations` })
  @Post('records/:publisher/:kind/:localId/attestations')
  @HttpCode(200)
  public async attest(@Operator() _operator: OperatorCaller, @Param() place: Record<string, string>, @Body() body: unknown): Promise<object> {
    const { compared, outcome, version } = attestationBody.read(body);
    const id = recordIdOf(place);
    const { publisher } = parseRecordId(id);
    return await this.services.commands.attest(attestArgumentShape.read({ compared, outcome, placed: this.placed(id, version), publisher }));
  }

  @Declare({ id: 'stateOnRecord', en: "an owner's signed word on a record about it: confirmed or disputed", zh: '权属人对记录的签名声明', who: 'anyone', body: readLater(recordStatementEnvelopeShape), counted: true, answer: answers.committed, also: [202], codes: ['OWNER_UNKNOWN', 'STATEMENT_BAD_SIGNATURE', 'STATEMENT_EXPIRED', 'STATEMENT_OTHER_RECORD', 'STATEMENT_SUPERSEDED', 'GRANT_NONCANONICAL_SIG', 'GRANT_WRONG_DOMAIN', 'GRANT_SUITE_UNSUPPORTED', ...recordCodes], curl: `curl -s ${jsonHeader} -d @$STATEMENT $NODE/v1/record-statements` })
  @Post('record-statements')
  @HttpCode(200)
  public async state(@Body() body: unknown): Promise<object> {
    const envelope = readRecordStatement(body);
    const { record, version } = envelope.statement;
    return await this.services.commands.stateOnRecord(envelope, this.placed(record, version));
  }

  @Declare({ id: 'flags', roles: everyRole, en: "records of this centre's vault to look at, found by the link checks", zh: '关联核查发现的疑点', who: 'operator', query: flagQuery, answer: viewAnswers.flags, codes: ['BAD_FIELD'], curl: `curl -s ${tokenHeader} "$NODE/v1/flags?limit=20"` })
  @Get('flags')
  public async flags(@Operator() _operator: OperatorCaller, @Query() query: Record<string, string>): Promise<object> {
    const { cursor, limit = 100, ...filter } = readQuery({ query: flagQuery }, query) as Read<typeof flagQuery>;
    const items: object[] = [];
    let place = cursor === undefined ? undefined : this.cursors.open('flags', filter, cursor);
    let more = false;
    for await (const [at, { code, recordIds, since }] of this.services.links.flags(filter, place)) {
      more = items.length === limit;
      if (more) break;
      const { check, en, zh } = flagCodes[code];
      items.push({ code, check, recordIds, since, zh, en });
      place = at;
    }
    return { items, ...(more && place !== undefined ? { cursor: this.cursors.seal('flags', filter, place) } : {}), checked: this.services.links.progress() };
  }

  @Declare({ id: 'recheckLinks', roles: daily, act: 'links.recheck', en: 'goes through all records of this centre again', zh: '重新核查全部记录', who: 'operator', answer: viewAnswers.linkProgress, status: 202, curl: `curl -s ${tokenHeader} -X POST $NODE/v1/flags/runs` })
  @Post('flags/runs')
  @HttpCode(202)
  public async recheck(@Operator() _operator: OperatorCaller): Promise<object> {
    await this.services.links.restart();
    return this.services.links.progress();
  }

  /** The header that is spoken of, where it stands; the ledger checks both again. @throws RECORD_UNKNOWN */
  private placed(id: string, version?: number): PlacedHeader {
    const placed = this.services.readModel.placedHeader(id, version);
    if (placed === undefined) throw new ProtocolError('RECORD_UNKNOWN', { record: id });
    return placed;
  }
}

/** The record that an act is about. */
function recordOf({ params }: ActCall): string {
  return recordIdOf(params);
}

function recordIdOf({ kind = '', localId = '', publisher = '' }: Record<string, string>): string {
  const id = recordId(publisher, kind, localId);
  parseRecordId(id);
  return id;
}
