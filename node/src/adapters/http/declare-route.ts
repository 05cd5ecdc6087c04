import { SetMetadata } from '@nestjs/common';
import type { StaffRole } from '../../core/accounts/account.js';
import type { Act } from '../../core/audit-log/acts.js';
import { anyObject, type ErrorCode, type JsonObject, type Shape } from '@huilian/protocol';

/**
 * Who may call a route. `anyone` needs no token; `operator` is the centre's own side: the operator's token, or a person whose
 * role the route names. `signed-in` is that side or a member that this node serves; `publisher` that side or a platform or centre
 * that this node serves; `monitor` that side or whoever has the metrics token.
 */
type RouteCaller = 'anyone' | 'member' | 'monitor' | 'operator' | 'publisher' | 'signed-in';

/** Roles of those who run the node, who work with it day by day, who look after it, and all of them. */
export const administrators: readonly StaffRole[] = ['administrator'];
export const daily: readonly StaffRole[] = ['administrator', 'operator'];
export const oversight: readonly StaffRole[] = ['administrator', 'auditor'];
export const everyRole: readonly StaffRole[] = ['administrator', 'auditor', 'operator'];

/** A call as the audit log names its object. */
export interface ActCall {
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Once it is done. */
  readonly answer?: unknown;
}

/** What a route says of itself: the guard holds every call against it, and /openapi.json is assembled from it. */
export interface RouteDeclaration {
  /** Name of the operation, unique, as generated clients call it. */
  readonly id: string;
  readonly en: string;
  readonly zh: string;
  readonly who: RouteCaller;
  /** Which of the centre's people may call it, signed in; none where absent. The operator's token counts as an administrator. */
  readonly roles?: readonly StaffRole[];
  /** An administrative act of the centre's side: in the audit log before it is done, with the id of what it is done to. */
  readonly act?: Act;
  readonly object?: (call: ActCall) => string | undefined;
  /** Whether the body holds a password: no trace of it is kept, so that Idempotency-Key means nothing here. */
  readonly secret?: boolean;
  /** Query parameters, texts and integers; none where absent. Others, and repeated ones, are refused. */
  readonly query?: Shape<unknown>;
  /** JSON body; read before the handler runs. */
  readonly body?: Shape<unknown>;
  /** A body that is no JSON: its media type and what it holds. */
  readonly stream?: { readonly type: string; readonly schema: JsonObject };
  /** Schema of a good answer; absent for 204. */
  readonly answer?: JsonObject;
  /** Media type of the answer, application/json where absent. */
  readonly answerType?: string;
  /** Status of a good answer, 200 where absent. */
  readonly status?: number;
  /** Further statuses with the same answer. */
  readonly also?: readonly number[];
  /** Codes it refuses with, beside those of every route. */
  readonly codes?: readonly ErrorCode[];
  /** Most bytes of the body, 1 MiB where absent. */
  readonly bodyBytes?: number;
  /** Whether a signature is checked for callers that are not known yet: such calls are counted by address. */
  readonly counted?: boolean;
  /** Whether the body may also come as a form (RFC 6749). */
  readonly form?: boolean;
  /** A call of it as a person types it; `$NODE` and `$TOKEN` stand for the address and a token. */
  readonly curl?: string;
}

const declarationKey = 'huilian:route';

/** Declares a controller's route. Every route has one: a test compares the running server with /openapi.json. */
export function Declare(declaration: RouteDeclaration): MethodDecorator {
  return SetMetadata(declarationKey, declaration);
}

/** The declaration of a controller's method; undefined where it has none. */
export function declarationOf(handler: object): RouteDeclaration | undefined {
  return Reflect.getMetadata(declarationKey, handler) as RouteDeclaration | undefined;
}

/** Parts of curl calls. */
export const tokenHeader = '-H "authorization: Bearer $TOKEN"';
export const jsonHeader = "-H 'content-type: application/json'";

/** What any transaction may end with. */
export const ledgerCodes: readonly ErrorCode[] = ['ARG_MALFORMED', 'ARG_TOO_LARGE', 'LEDGER_CONFLICT', 'LEDGER_REJECTED', 'LEDGER_UNAVAILABLE', 'OUTCOME_UNKNOWN', 'TX_TIME_REJECTED'];

/** A document whose reader comes later in the flow and keeps a record of what it refuses: stated here, read there. */
export function readLater(shape: Shape<unknown>): Shape<JsonObject> {
  return { schema: shape.schema, read: (value, path) => anyObject().read(value, path) };
}
