import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { anyObject, keyRotationEnvelopeShape, list, object, recoveryObjectionEnvelopeShape, rotateMemberKeysArgumentShape, signedStatementShape, text, type ErrorCode, type JsonObject } from '@huilian/protocol';
import { inBody } from './act-objects.js';
import { answers } from './answer-schemas.js';
import { Operator } from './caller.js';
import { administrators, Declare, jsonHeader, ledgerCodes, readLater, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

const recoveryBodyShape = object({ chain: list(text(/[A-Za-z0-9+/=]+/, 16_384), 1, 5), statement: readLater(signedStatementShape) });
const ownerCodes: readonly ErrorCode[] = ['OWNER_UNKNOWN', 'RECOVERY_PENDING', 'RECOVERY_UNKNOWN', 'STATEMENT_BAD_SIGNATURE', 'STATEMENT_EXPIRED', 'GRANT_NONCANONICAL_SIG', 'GRANT_WRONG_DOMAIN', 'GRANT_SUITE_UNSUPPORTED', ...ledgerCodes];
const signed = (file: string, route: string): string => `curl -s ${jsonHeader} -d @$${file} $NODE/v1/${route}`;

/** Changes of keys. What an owner or a member signed counts by its signature; a recovery is a centre's own decision. */
@Controller('v1')
export class KeyChangesController {
  public constructor(private readonly services: NodeServices) {}

  /** The owner's EIP-712 KeyRotation, signed by the key in force. */
  @Declare({ id: 'rotateOwnerKey', en: "another key in place of the owner's, by the old one's signature", zh: '更换权属人密钥', who: 'anyone', body: readLater(keyRotationEnvelopeShape), counted: true, answer: answers.committed, also: [202], codes: ownerCodes, curl: signed('ROTATION', 'owner-keys/rotate') })
  @Post('owner-keys/rotate')
  @HttpCode(200)
  public async rotateOwnerKey(@Body() body: unknown): Promise<object> {
    return await this.services.commands.rotateOwnerKey(anyObject().read(body) as JsonObject);
  }

  /** This centre approves that a lost key is replaced. */
  @Declare({ id: 'recoverOwner', en: 'this centre approves that a lost key is replaced', zh: '批准恢复权属人密钥', who: 'operator', roles: administrators, act: 'owner.recover', object: inBody('statement', 'statement', 'owner'), body: recoveryBodyShape, answer: answers.committed, also: [202], codes: ['CA_UNKNOWN', 'CERTIFICATE_INVALID', 'CERTIFICATE_EXPIRED', 'CERTIFICATE_OTHER_ENTITY', 'NOT_A_CENTRE', ...ownerCodes], curl: `curl -s ${tokenHeader} ${jsonHeader} -d @$RECOVERY $NODE/v1/owner-keys/recover` })
  @Post('owner-keys/recover')
  @HttpCode(200)
  public async recoverOwner(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    const { chain, statement } = recoveryBodyShape.read(body);
    return await this.services.commands.recoverOwner(statement as JsonObject, chain);
  }

  /** The owner's EIP-712 RecoveryObjection, signed by the old key. */
  @Declare({ id: 'objectRecovery', en: "the owner's objection to a recovery", zh: '对恢复提出异议', who: 'anyone', body: readLater(recoveryObjectionEnvelopeShape), counted: true, answer: answers.committed, also: [202], codes: ownerCodes, curl: signed('OBJECTION', 'owner-keys/object') })
  @Post('owner-keys/object')
  @HttpCode(200)
  public async objectRecovery(@Body() body: unknown): Promise<object> {
    return await this.services.commands.objectRecovery(anyObject().read(body) as JsonObject);
  }

  /** A member's JWS over its new keys, signed by the old one. */
  @Declare({ id: 'rotateMemberKeys', en: "other keys of a member, by the old one's signature", zh: '更换成员密钥', who: 'anyone', act: 'member.rotate-keys', body: rotateMemberKeysArgumentShape, counted: true, answer: answers.committed, also: [202], codes: ['MEMBER_UNKNOWN', 'MEMBER_SUSPENDED', 'FORBIDDEN', 'STATEMENT_BAD_SIGNATURE', 'STATEMENT_EXPIRED', ...ledgerCodes], curl: signed('ROTATION', 'member-keys/rotate') })
  @Post('member-keys/rotate')
  @HttpCode(200)
  public async rotateMemberKeys(@Body() body: unknown): Promise<object> {
    return await this.services.commands.rotateMemberKeys(rotateMemberKeysArgumentShape.read(body).rotation);
  }
}
