import type { ErrorCode, JsonObject } from '@huilian/protocol';
import { errorCatalogue } from '@huilian/protocol';
import { readerRoutes, type ReaderRoute } from './reader-routes.js';

const everywhere: readonly ErrorCode[] = ['TOKEN_INVALID', 'FORBIDDEN', 'EXCHANGE_FAILED', 'INTERNAL'];
const bodyCodes: readonly ErrorCode[] = ['BAD_FIELD', 'UNKNOWN_FIELD', 'CANONICAL_INVALID', 'BODY_TOO_LARGE'];

/** OpenAPI 3.1 of the sidecar, from the table that it serves by. */
export function readerOpenApi(url: string): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of readerRoutes) paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  const health = (id: string, summary: string, schema: JsonObject, also: JsonObject = {}): JsonObject => ({ get: { operationId: id, summary, security: [], responses: { '200': answer(schema), ...also, '403': refusal(['FORBIDDEN']) } } });
  const ready: JsonObject = { type: 'object', required: ['ready', 'reasons'], properties: { ready: { type: 'boolean' }, reasons: { type: 'array', items: { type: 'string' } } } };
  return {
    openapi: '3.1.0',
    info: { title: 'Huilian reader 汇链读取服务', version: '1', description: "A sidecar on loopback for an institution's own systems: ask, open, read, receipt, evidence. 仅供本机调用。", license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url }],
    security: [{ token: [] }],
    paths: {
      '/healthz': health('health', 'the process is up 进程存活', { type: 'object', required: ['status'], properties: { status: { const: 'up' } } }),
      '/readyz': health('ready', 'the node answers, and is of the consortium named at start 节点可达', ready, { '503': answer(ready) }),
      '/openapi.json': health('openApi', 'this document 本文档', { type: 'object' }),
      ...paths,
    },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'content of the token file 令牌文件内容' } },
      schemas: { Error: errorSchema },
    },
  };
}

const words: JsonObject = { type: 'object', required: ['zh', 'en'], properties: { zh: { type: 'string' }, en: { type: 'string' } } };
const errorSchema: JsonObject = {
  type: 'object',
  required: ['code', 'stage', 'message', 'next', 'details'],
  properties: { code: { type: 'string', pattern: '^[A-Z][A-Z0-9_]{2,40}$' }, stage: { enum: ['protocol', 'ledger', 'node', 'client'] }, message: words, next: words, details: { type: 'object' } },
};

function operation({ answer: schema, body, bodyOptional, codes, en, id, path, query, zh }: ReaderRoute): JsonObject {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const inQuery = Object.entries(query ?? {}).map(([name, found]) => ({ name, in: 'query', required: false, schema: found }));
  return {
    operationId: id,
    summary: `${en} / ${zh}`,
    parameters: [...inPath, ...inQuery],
    ...(body === undefined ? {} : { requestBody: { required: bodyOptional !== true, content: { 'application/json': { schema: body.schema } } } }),
    responses: { '200': answer(schema), ...refusals([...codes, ...everywhere, ...(body === undefined ? [] : bodyCodes)]) },
  };
}

function answer(schema: JsonObject): JsonObject {
  return { description: 'answer 结果', content: { 'application/json': { schema } } };
}

function refusal(codes: readonly ErrorCode[]): JsonObject {
  return { description: [...new Set(codes)].sort().join(', '), content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
}

function refusals(codes: readonly ErrorCode[]): JsonObject {
  const byStatus = Object.groupBy(codes, (code) => String(errorCatalogue[code].http));
  return { ...Object.fromEntries(Object.entries(byStatus).map(([status, found = []]) => [status, refusal(found)])), default: refusal([]) };
}
