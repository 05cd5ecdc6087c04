import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { anyObject, list, object, rotateMemberKeysArgumentShape, text, type JsonObject } from '@huilian/protocol';
import { Operator } from './caller.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

const recoveryBodyShape = object({ chain: list(text(/[A-Za-z0-9+/=]+/, 16_384), 1, 5), statement: anyObject() });

/** Changes of keys. What an owner or a member signed counts by its signature; a recovery is a centre's own decision. */
@Controller('v1')
export class KeyChangesController {
  public constructor(private readonly services: NodeServices) {}

  /** The owner's EIP-712 KeyRotation, signed by the key in force. */
  @Post('owner-keys/rotate')
  @HttpCode(200)
  public async rotateOwnerKey(@Body() body: unknown): Promise<object> {
    return await this.services.commands.rotateOwnerKey(anyObject().read(body) as JsonObject);
  }

  /** This centre approves that a lost key is replaced. */
  @Post('owner-keys/recover')
  @HttpCode(200)
  public async recoverOwner(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    const { chain, statement } = recoveryBodyShape.read(body);
    return await this.services.commands.recoverOwner(statement as JsonObject, chain);
  }

  /** The owner's EIP-712 RecoveryObjection, signed by the old key. */
  @Post('owner-keys/object')
  @HttpCode(200)
  public async objectRecovery(@Body() body: unknown): Promise<object> {
    return await this.services.commands.objectRecovery(anyObject().read(body) as JsonObject);
  }

  /** A member's JWS over its new keys, signed by the old one. */
  @Post('member-keys/rotate')
  @HttpCode(200)
  public async rotateMemberKeys(@Body() body: unknown): Promise<object> {
    return await this.services.commands.rotateMemberKeys(rotateMemberKeysArgumentShape.read(body).rotation);
  }
}
