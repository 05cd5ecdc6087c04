// Synthetic codes with valid check characters: GB 11714, GB 32100-2015, GB 11643-1999, and the unified transaction code.
const usccAlphabet = [...'0123456789ABCDEFGHJKLMNPQRTUWXY'];

/** @param {import('./seeded-draw.mjs').Draw} draw */
function organisationCode({ pick }) {
  const body = `MA${Array.from({ length: 6 }, () => pick(usccAlphabet)).join('')}`;
  const weights = [3, 7, 9, 10, 5, 8, 4, 2];
  const check = (11 - (weights.reduce((sum, weight, index) => sum + weight * parseInt(body[index], 36), 0) % 11)) % 11;
  return body + (check === 10 ? 'X' : String(check));
}

/** @param {import('./seeded-draw.mjs').Draw} draw @param {string} prefix @param {string} region */
export function uscc(draw, prefix, region) {
  const body = prefix + region + organisationCode(draw);
  let sum = 0;
  let weight = 1;
  for (const character of body) {
    sum += usccAlphabet.indexOf(character) * weight;
    weight = (weight * 3) % 31;
  }
  return body + usccAlphabet[(31 - (sum % 31)) % 31];
}

/** @param {import('./seeded-draw.mjs').Draw} draw @param {string} region @param {string} birth YYYYMMDD */
export function idNumber({ digits }, region, birth) {
  const body = region + birth + digits(3);
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  return body + '10X98765432'[weights.reduce((sum, weight, index) => sum + weight * Number(body[index]), 0) % 11];
}

/** @param {string} kind @param {string} owner @param {string} day @param {string} sequence */
export function transactionCode(kind, owner, day, sequence) {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*';
  let product = 0;
  for (const character of kind + owner + day + sequence) product = ((product + alphabet.indexOf(character)) * 2) % 37;
  return `${kind}-${owner}-${day}-${sequence}-${alphabet[(38 - product) % 37]}`;
}
