import { createHash } from 'node:crypto';
import { toBase32 } from '@huilian/protocol';

const algorithms = ['sha256', 'sha512', 'sha1', 'md5', 'sm3', 'sha3-256', 'ripemd160'] as const;
/** How a careless design would have hashed a value of a person. */
const forms: readonly ((value: string) => string)[] = [(value) => value, (value) => `personnel${value}`, (value) => `personnel\u0000${value}`, (value) => `idNumber:${value}`, (value) => JSON.stringify(value), (value) => JSON.stringify({ idNumber: value })];
/** So much of a digest tells it from any other bytes. */
const toldBytes = 9;

/**
 * The openings of every unkeyed and unsalted hash by which somebody who guesses the value could compare: in binary, hex,
 * base64, base64url and base32, as they stand at the start of a token.
 */
export function tryOutHashes(value: string): [how: string, bytes: Buffer][] {
  return algorithms.flatMap((algorithm) =>
    forms.flatMap((form): [string, Buffer][] => {
      const told = createHash(algorithm).update(form(value)).digest().subarray(0, toldBytes);
      const base64 = told.toString('base64');
      return [
        [algorithm, told],
        [`${algorithm} hex`, Buffer.from(told.toString('hex'))],
        [`${algorithm} hex upper`, Buffer.from(told.toString('hex').toUpperCase())],
        [`${algorithm} base64`, Buffer.from(base64)],
        [`${algorithm} base64url`, Buffer.from(base64.replaceAll('+', '-').replaceAll('/', '_'))],
        [`${algorithm} base32`, Buffer.from(toBase32(told).slice(0, 14))],
      ];
    }));
}

/** Resident identity numbers invented with births of 1900 to 1924, which is before such numbers were given out (GB 11643). */
export function inventedIds(count: number): { readonly id: string; readonly birthDate: string }[] {
  return Array.from({ length: count }, (_, at) => {
    const date = new Date(Date.UTC(1900, 0, 1 + at * 9)).toISOString().slice(0, 10);
    const head = `440105${date.replaceAll('-', '')}${String(at % 1000).padStart(3, '0')}`;
    const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const sum = weights.reduce((total, weight, place) => total + weight * Number(head[place]), 0);
    return { birthDate: date, id: `${head}${'10X98765432'.charAt(sum % 11)}` };
  });
}
