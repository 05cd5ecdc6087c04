import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Place, text, type Client } from './fixture.js';
import type { Ledger } from '../src/index.js';

let place: Place;
let ledger: Ledger;
let river: Client;

beforeEach(async () => {
  place = await Place.make();
  ledger = await place.start();
  river = await place.client(ledger);
});
afterEach(() => place.leave());

describe('a stock fabric-gateway client', () => {
  it('submits, and what is committed is what is read', async () => {
    await river.contract.submitTransaction('put', 'a', '甲');
    expect(text(await river.contract.evaluateTransaction('get', 'a'))).toBe('甲');
  });
});
