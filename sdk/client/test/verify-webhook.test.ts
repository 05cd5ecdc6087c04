import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { verifyWebhook } from '../src/index.js';

const bytes = Buffer.from('an invented secret of 32 bytes!!', 'utf8');
const secret = `whsec_${bytes.toString('base64')}`;
const now = 1_800_000_000;
const body = JSON.stringify({ specversion: '1.0', id: '12/0/3', type: 'huilian.record.published', subject: '记录' });

function headersOf(change: Readonly<Record<string, string>> = {}, key = bytes, timestamp = now): Record<string, string> {
  const mac = createHmac('sha256', key).update(`12/0/3.${String(timestamp)}.${body}`).digest('base64');
  return { 'webhook-id': '12/0/3', 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${mac}`, ...change };
}

describe("a webhook's call", () => {
  test('that Node itself signed by HMAC-SHA-256 gives its events', () => {
    const events = [JSON.parse(body) as unknown];
    expect(verifyWebhook(secret, headersOf(), body, { now })).toEqual(events);
    expect(verifyWebhook(secret, new Headers(headersOf()), Buffer.from(body), { now: now + 300 })).toEqual(events);
    expect(verifyWebhook(secret, headersOf({ 'webhook-signature': `v1,AAAA ${headersOf()['webhook-signature'] ?? ''} v2,x` }), body, { now })).toEqual(events);
  });

  // The example that the Standard Webhooks specification and its libraries test themselves with.
  test("of the specification's own example holds", () => {
    const headers = { 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' };
    expect(verifyWebhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', headers, '{"test": 2432232314}', { now: 1614265330 })).toEqual([{ test: 2432232314 }]);
  });

  test.each<readonly [name: string, headers: Record<string, string | readonly string[]>, body: string, reason: string]>([
    ['by another key', headersOf({}, Buffer.alloc(32, 7)), body, 'signature'],
    ['of another body', headersOf(), `${body} `, 'signature'],
    ['of another id', headersOf({ 'webhook-id': '12/0/4' }), body, 'signature'],
    ['of another time', headersOf({ 'webhook-timestamp': String(now + 1) }), body, 'signature'],
    ['cut short', headersOf({ 'webhook-signature': (headersOf()['webhook-signature'] ?? '').slice(0, -1) }), body, 'signature'],
    ['of another version', headersOf({ 'webhook-signature': (headersOf()['webhook-signature'] ?? '').replace('v1', 'v2') }), body, 'signature'],
    ['too old', headersOf({}, bytes, now - 301), body, 'timestamp'],
    ['from the future', headersOf({}, bytes, now + 301), body, 'timestamp'],
    ['without a time', headersOf({ 'webhook-timestamp': '' }), body, 'headers'],
    ['with a time that is no number', headersOf({ 'webhook-timestamp': '1e9' }), body, 'headers'],
    ['with a header twice', { ...headersOf(), 'webhook-signature': ['a', 'b'] }, body, 'headers'],
    ['unsigned', {}, body, 'headers'],
  ])('%s is refused', (_name, headers, content, reason) => {
    expect(() => verifyWebhook(secret, headers, content, { now })).toThrow(`WEBHOOK_BAD_SIGNATURE {"reason":"${reason}"}`);
  });

  test('that is signed but no JSON is refused', () => {
    const mac = createHmac('sha256', bytes).update(`a.${String(now)}.{`).digest('base64');
    expect(() => verifyWebhook(secret, { 'webhook-id': 'a', 'webhook-timestamp': String(now), 'webhook-signature': `v1,${mac}` }, '{', { now })).toThrow('WEBHOOK_BAD_SIGNATURE {"reason":"body"}');
  });

  test.each(['', 'whsec_', 'whsec_c2hvcnQ=', bytes.toString('base64'), 'whsec_****'])('a secret that is none is said, not repeated: %j', (wrong) => {
    expect(() => verifyWebhook(wrong, headersOf(), body, { now })).toThrow('BAD_FIELD {"reason":"webhook-secret"}');
  });
});
