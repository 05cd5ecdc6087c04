import { ProtocolError } from '@huilian/protocol';
import { guessedPasswords } from './guessed-passwords.js';
import { normalised } from './password-hash.js';

const leastPasswordLength = 12;
export const mostPasswordLength = 128;
const leastDifferent = 5;

/** Length, not classes of characters; none that is guessed first (NIST SP 800-63B, 3.1.1.2). @throws PASSWORD_WEAK {reason} */
export function checkPassword(password: string, account: string, memberId: string): void {
  const reason = weakness(normalised(password), account, memberId);
  if (reason !== undefined) throw new ProtocolError('PASSWORD_WEAK', { reason, least: leastPasswordLength, most: mostPasswordLength });
}

function weakness(password: string, account: string, memberId: string): string | undefined {
  const { length } = [...password];
  if (length < leastPasswordLength) return 'too-short';
  if (length > mostPasswordLength) return 'too-long';
  if (new Set(password).size < leastDifferent) return 'too-few-different-characters';
  const lower = password.toLowerCase();
  if (isRun(lower)) return 'a-sequence';
  if (lower.includes(account) || lower.includes(memberId)) return 'holds-a-name';
  return isCommon(lower) ? 'common' : undefined;
}

/** A common password, also with figures and signs around it or letters written as figures. */
function isCommon(lower: string): boolean {
  const bare = lower.replace(/^[^a-z]+|[^a-z]+$/g, '');
  const spelled = lower.replace(/[013457@$!]/g, (sign) => ({ 0: 'o', 1: 'l', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's', '!': 'i' })[sign] ?? sign);
  return [lower, bare, spelled, spelled.replace(/^[^a-z]+|[^a-z]+$/g, '')].some((form) => guessedPasswords.has(form));
}

/** `abcdefghijkl`, `987654321098`: each character next to the one before. */
function isRun(text: string): boolean {
  const steps = new Set([...text].slice(1).map((character, at) => (character.codePointAt(0) ?? 0) - ([...text][at]?.codePointAt(0) ?? 0)));
  return [...steps].every((step) => Math.abs(step) <= 1 || Math.abs(step) === 9);
}
