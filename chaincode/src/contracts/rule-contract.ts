import { Context, Contract } from 'fabric-contract-api';
import { canonicalBytes, limits, parseCanonicalObject, ProtocolError, type JsonObject } from '@huilian/protocol';
import { stateReader, type Outcome, type RuleContext } from '../rules/rule.js';

// The typings leave out what the dispatcher itself uses: arguments as raw bytes.
interface RawArguments {
  getBufferArgs(): Uint8Array[];
}

/**
 * Parses the one argument, calls the rule, applies its writes. Holds no state: one object serves concurrent transactions.
 * The dispatcher wants every argument declared, and decodes it as UTF-8 text, which spoils binary; so each transaction
 * declares one text and reads the raw bytes from the stub instead.
 */
export abstract class RuleContract extends Contract {
  protected async runJson(context: Context, most: number, rule: (context: RuleContext, argument: JsonObject) => Promise<Outcome>): Promise<string> {
    return await this.runBytes(context, most, async (ruleContext, bytes) => await rule(ruleContext, readArgument(bytes)));
  }

  protected async runBytes(context: Context, most: number, rule: (context: RuleContext, argument: Uint8Array) => Promise<Outcome>): Promise<string> {
    const { stub } = context;
    const args = (stub as unknown as RawArguments).getBufferArgs();
    const argument = args[1];
    if (args.length !== 2 || argument === undefined) throw new ProtocolError('ARG_MALFORMED', { reason: 'one-argument' });
    if (argument.length > most) throw new ProtocolError('ARG_TOO_LARGE', { bytes: argument.length, most });
    const outcome = await rule(ruleContextOf(context), argument);
    for (const write of outcome.writes) {
      if ('value' in write) await stub.putState(write.key, write.value);
      else await stub.deleteState(write.key);
    }
    stub.setEvent(outcome.event.name, canonicalBytes(outcome.event.payload));
    return new TextDecoder().decode(canonicalBytes(outcome.response));
  }
}

function readArgument(bytes: Uint8Array): JsonObject {
  try {
    return parseCanonicalObject(bytes);
  } catch {
    throw new ProtocolError('ARG_MALFORMED', { reason: 'canonical-json' });
  }
}

function ruleContextOf({ clientIdentity, stub }: Context): RuleContext {
  const timestamp = stub.getTxTimestamp();
  return {
    state: stateReader(async (key) => await stub.getState(key)),
    caller: clientIdentity.getMSPID(),
    time: Number(timestamp.seconds.toString()),
    transactionId: stub.getTxID(),
    channel: stub.getChannelID(),
    chaincode: calledChaincode(stub),
  };
}

interface ChannelHeader {
  getExtension_asU8(): Uint8Array;
}

/**
 * Name of the chaincode that the signed proposal calls: where another chaincode calls in, its own name stands there, and
 * the rules compare it with the charter's. @throws FORBIDDEN_CALLER where there is no proposal to read
 */
function calledChaincode(stub: Context['stub']): string {
  const proposal = stub.getSignedProposal() as unknown as { proposal?: { header?: { channelHeader?: ChannelHeader } } } | undefined;
  const extension = proposal?.proposal?.header?.channelHeader?.getExtension_asU8();
  // ChaincodeHeaderExtension.chaincode_id (2) holds ChaincodeID.name (2).
  const name = extension && lengthDelimited(lengthDelimited(extension, 2), 2);
  if (name === undefined) throw new ProtocolError('FORBIDDEN_CALLER', { reason: 'no-proposal' });
  return new TextDecoder().decode(name);
}

/** The last length-delimited protobuf field of a number, in a message that has only such fields. */
function lengthDelimited(message: Uint8Array | undefined, field: number): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  for (let at = 0; message !== undefined && at < message.length; ) {
    const tag = message[at] ?? 0;
    const length = message[at + 1] ?? 0;
    // Names and ids are short: a longer length or another wire type is not what a proposal carries here.
    if ((tag & 7) !== 2 || length > 127) return undefined;
    if (tag >> 3 === field) found = message.subarray(at + 2, at + 2 + length);
    at += 2 + length;
  }
  return found;
}
