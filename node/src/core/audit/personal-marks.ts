/**
 * Personal data in texts that must hold none. Found by form: resident identity numbers (GB 11643: 17 digits and a check
 * character, with a date of birth that can be) and mainland mobile numbers, standing by themselves so that digests and codes
 * do not match. And by value: the personal fields of a node's own records, as whole words of a text.
 */
const identityNumber = /(?<![0-9A-Za-z])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX](?![0-9A-Za-z])/g;
const mobileNumber = /(?<![0-9A-Za-z])1[3-9]\d{9}(?![0-9A-Za-z])/;
const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const wordBreak = /[\s"',:;=/\\()[\]{}<>，。：；、（）]+/;
/** What is shorter, but for a name in Chinese characters, is a code or a word of every text. */
const telling = /^[\p{Script=Han}·]{2,}$|^.{6,}$/u;

export type PersonalMark = 'identity-number' | 'mobile-number' | 'value-of-a-record';

function hasCheckCharacter(number: string): boolean {
  const sum = weights.reduce((total, weight, at) => total + weight * Number(number[at]), 0);
  return '10X98765432'[sum % 11] === number[17];
}

export class PersonalMarks {
  private readonly values = new Set<string>();

  public add(value: string): void {
    if (telling.test(value) && !wordBreak.test(value)) this.values.add(value);
  }

  /** Which mark a text carries, if any. Never answers the mark itself. */
  public find(text: string): PersonalMark | undefined {
    if ((text.match(identityNumber) ?? []).some(hasCheckCharacter)) return 'identity-number';
    if (mobileNumber.test(text)) return 'mobile-number';
    if (this.values.size > 0 && text.split(wordBreak).some((word) => this.values.has(word))) return 'value-of-a-record';
    return undefined;
  }
}
