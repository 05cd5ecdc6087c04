import { Context, Contract } from 'fabric-contract-api';
import type { ChaincodeStub } from 'fabric-shim-api';
import { canonicalBytes, canonicalize, limits, parseCanonicalObject, ProtocolError, type JsonObject } from '@huilian/protocol';
import { stateReader, type Outcome, type Rule, type RuleContext } from '../rules/rule.js';
import { calledChaincode } from './called-chaincode.js';

// The typings leave out what the dispatcher itself uses: arguments as raw bytes.
interface RawArguments {
  getBufferArgs(): Uint8Array[];
}

/**
 * Reads the one argument, calls the rule, applies its writes. Holds no state: one object serves concurrent transactions.
 * The dispatcher wants as many declared parameters as a call brings and decodes each as UTF-8, which corrupts binary; so
 * each function declares one and ignores it, and the raw bytes are read from the stub.
 */
export abstract class RuleContract extends Contract {
  /**
   * The endorser's own clock, Unix seconds. A proposal dated outside 3 minutes of it is refused; nothing that is written
   * depends on it. Undefined leaves that check to whoever runs the contracts.
   */
  protected endorserTime(): number | undefined {
    return Math.floor(Date.now() / 1000);
  }

  /** Runs a rule whose argument is canonical JSON of at most so many bytes. */
  protected async runJson(context: Context, most: number, rule: Rule<JsonObject>): Promise<string> {
    return await this.runBytes(context, most, async (ruleContext, bytes) => await rule(ruleContext, readObject(bytes)));
  }

  protected async runBytes({ stub }: Context, most: number, rule: Rule<Uint8Array>): Promise<string> {
    const argument = readArgument(stub, most);
    const ruleContext = ruleContextOf(stub);
    this.checkProposalTime(ruleContext.time);
    const outcome = await rule(ruleContext, argument);
    await apply(stub, outcome);
    return canonicalize(outcome.response);
  }

  private checkProposalTime(time: number): void {
    const now = this.endorserTime();
    if (now !== undefined && Math.abs(now - time) > limits.proposalWindowSeconds) {
      throw new ProtocolError('TX_TIME_REJECTED', { most: limits.proposalWindowSeconds });
    }
  }

  // The default logs the arguments of a call that nobody understands.
  public override unknownTransaction(): Promise<void> {
    return Promise.reject(new ProtocolError('ARG_MALFORMED', { reason: 'unknown-function' }));
  }
}

function readArgument(stub: ChaincodeStub, most: number): Uint8Array {
  const [, argument, ...more] = (stub as unknown as RawArguments).getBufferArgs();
  if (argument === undefined || more.length > 0) throw new ProtocolError('ARG_MALFORMED', { reason: 'one-argument' });
  if (argument.length > most) throw new ProtocolError('ARG_TOO_LARGE', { bytes: argument.length, most });
  return argument;
}

function readObject(bytes: Uint8Array): JsonObject {
  try {
    return parseCanonicalObject(bytes);
  } catch {
    throw new ProtocolError('ARG_MALFORMED', { reason: 'canonical-json' });
  }
}

function ruleContextOf(stub: ChaincodeStub): RuleContext {
  return {
    state: stateReader(async (key) => await stub.getState(key)),
    caller: stub.getCreator().mspid,
    time: Number(stub.getTxTimestamp().seconds.toString()),
    transactionId: stub.getTxID(),
    channel: stub.getChannelID(),
    chaincode: calledChaincode(stub),
  };
}

async function apply(stub: ChaincodeStub, { event, writes }: Outcome): Promise<void> {
  for (const write of writes) {
    if ('value' in write) await stub.putState(write.key, write.value);
    else await stub.deleteState(write.key);
  }
  if (event !== undefined) stub.setEvent(event.name, canonicalBytes(event.payload));
}
