import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { errorCatalogue, kindShape, localIdShape, memberIdShape, ownerIdShape, type ErrorCode, type JsonObject } from '@huilian/protocol';
import { anyAccountNameShape } from '../../core/accounts/account.js';
import { errorSchema } from './answer-schemas.js';
import { ownPageHeader } from './callers.js';
import { declarationOf, type RouteDeclaration } from './declare-route.js';
import { cookieName, sessionCookieName } from './session-cookie.js';

/** A route of the server and what it says of itself. */
export interface DeclaredRoute extends RouteDeclaration {
  readonly method: string;
  /** As OpenAPI writes it: `/v1/asks/{id}`. */
  readonly path: string;
}

const everywhere: readonly ErrorCode[] = ['TOKEN_INVALID', 'BAD_FIELD', 'UNKNOWN_FIELD', 'INTERNAL', 'STORAGE_FAILED'];
const withToken: readonly ErrorCode[] = ['FORBIDDEN', 'SESSION_ENDED'];
const withSession: readonly ErrorCode[] = ['CROSS_SITE_REFUSED'];
const withBody: readonly ErrorCode[] = ['CANONICAL_INVALID', 'BODY_TOO_LARGE', 'BAD_ID', 'IDEMPOTENCY_MISMATCH'];

/** Routes of controllers, in the order they are written. @throws TypeError for one without a declaration: nothing is served that is not described */
export function declaredRoutes(controllers: readonly Type[]): DeclaredRoute[] {
  return controllers.flatMap((controller) => {
    const base = pathOf(controller);
    return Object.values(Object.getOwnPropertyDescriptors(controller.prototype as object)).flatMap(({ value }: PropertyDescriptor): DeclaredRoute[] => {
      const verb = typeof value === 'function' ? (Reflect.getMetadata(METHOD_METADATA, value) as number | undefined) : undefined;
      if (verb === undefined) return [];
      const method = RequestMethod[verb] ?? '';
      const declared = declarationOf(value as object);
      if (declared === undefined) throw new TypeError(`a route without @Declare: ${method} ${pathOf(value as object)} of ${controller.name}`);
      const path = `/${[base, pathOf(value as object)].filter((part) => part !== '').join('/')}`;
      return [{ ...declared, method, path: path.replace(/:(\w+)/g, '{$1}') }];
    });
  });
}

function pathOf(target: object): string {
  return String(Reflect.getMetadata(PATH_METADATA, target) ?? '').replace(/^\/|\/$/g, '');
}

/** OpenAPI 3.1 of the routes. */
export function openApi(routes: readonly DeclaredRoute[], publicUrl: string): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  return {
    openapi: '3.1.0',
    info: { title: 'Huilian node 汇链节点', version: '1', description: 'Records, grants, access and evidence of a consortium of trading centres. 公共资源交易中心联盟节点接口。', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: publicUrl }],
    paths,
    components: {
      securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: cookieName(publicUrl, sessionCookieName), description: `a person of the centre, by POST /v1/session; what changes something needs the header ${ownPageHeader} too 本中心人员会话` }, token: { type: 'http', scheme: 'bearer', description: "a member's token of POST /v1/token, the operator's, or for /metrics the monitoring's 成员登录令牌、运维令牌或监控令牌" } },
      schemas: { Error: errorSchema },
    },
  };
}

function operation(route: DeclaredRoute): JsonObject {
  const { curl, en, form, id, method, path, secret, zh } = route;
  const body = requestBody(route, form === true);
  const repeatable = method === 'POST' && route.stream === undefined && secret !== true;
  return {
    operationId: id,
    summary: `${zh} / ${en}`,
    tags: [path.split('/')[2] ?? 'node'],
    ...(curl === undefined ? {} : { description: `\`\`\`sh\n${curl}\n\`\`\`` }),
    ...callersOf(route),
    parameters: [...pathParameters(path), ...queryParameters(route), ...(repeatable ? [idempotencyKey] : [])],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: { ...good(route), ...refusals(codesOf(route)), default: refusal('any other refusal 其他拒绝') },
  };
}

function callersOf({ act, roles = [], who }: DeclaredRoute): JsonObject {
  const session = roles.length === 0 ? [] : [{ session: [] }];
  return {
    'x-huilian-caller': who,
    ...(roles.length === 0 ? {} : { 'x-huilian-roles': roles }),
    ...(act === undefined ? {} : { 'x-huilian-act': act }),
    security: who === 'anyone' ? [] : [{ token: [] }, ...session],
  };
}

function codesOf({ body, codes = [], counted, method, roles = [], stream, who }: DeclaredRoute): readonly ErrorCode[] {
  const known = who === 'anyone' ? [] : withToken;
  const fromPage = roles.length === 0 || method === 'GET' ? [] : withSession;
  const sent = body === undefined && stream === undefined ? [] : withBody;
  return [...codes, ...everywhere, ...known, ...fromPage, ...sent, ...(counted === true ? (['RATE_LIMITED'] as const) : [])];
}

const idempotencyKey: JsonObject = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same body gets the same answer for 24 hours; with another body IDEMPOTENCY_MISMATCH. 相同键与相同内容在 24 小时内得到相同结果。',
  schema: { type: 'string', pattern: '^[!-~]{1,100}$' },
};

/** Grammars of names that stand in addresses; what does not fit is refused by the handlers, by the same rule. */
const inPath: Readonly<Record<string, JsonObject>> = {
  ask: { type: 'string', pattern: '^[a-z2-7]{26}$' },
  code: { enum: Object.keys(errorCatalogue) },
  kind: kindShape.schema,
  localId: localIdShape.schema,
  member: memberIdShape.schema,
  owner: ownerIdShape.schema,
  publisher: memberIdShape.schema,
  account: anyAccountNameShape.schema,
  session: { type: 'string', pattern: '^[A-Za-z0-9_-]{16}$' },
  transaction: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  index: { type: 'string', pattern: '^(?:0|[1-9][0-9]{0,2})$' },
};

function pathParameters(path: string): JsonObject[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({ name, in: 'path', required: true, schema: inPath[name] ?? { type: 'string', minLength: 1, maxLength: 200 } }));
}

function queryParameters({ query }: DeclaredRoute): JsonObject[] {
  const { properties = {}, required = [] } = (query?.schema ?? {}) as { properties?: Readonly<Record<string, JsonObject>>; required?: readonly string[] };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema }));
}

function requestBody({ body, stream }: DeclaredRoute, form: boolean): JsonObject | undefined {
  if (stream !== undefined) return { required: true, content: { [stream.type]: { schema: stream.schema } } };
  if (body === undefined) return undefined;
  return { required: true, content: { 'application/json': { schema: body.schema }, ...(form ? { 'application/x-www-form-urlencoded': { schema: body.schema } } : {}) } };
}

function good({ also = [], answer, answerType = 'application/json', status = 200 }: DeclaredRoute): Record<string, JsonObject> {
  const described: JsonObject = { description: 'answer 结果', ...(answer === undefined ? {} : { content: { [answerType]: { schema: answer } } }) };
  return Object.fromEntries([status, ...also].map((one) => [String(one), described]));
}

function refusal(description: string): JsonObject {
  return { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
}

function refusals(codes: readonly ErrorCode[]): Record<string, JsonObject> {
  const byStatus = Object.groupBy([...new Set(codes)].sort(), (code) => String(errorCatalogue[code].http));
  return Object.fromEntries(Object.entries(byStatus).map(([status, found = []]) => [status, refusal(found.join(', '))]));
}
