import { checkUscc } from '@huilian/protocol';
import type { ParsedCertificate } from './parsed-certificate.js';

/** Subject fields that carry the code where no extension does: organisational unit, serial number, common name (X.520). */
const subjectFields = ['2.5.4.11', '2.5.4.5', '2.5.4.3'];

/**
 * The unified social credit code a certificate names. National practice has no single place for it: each CA's own
 * extensions are tried in the order voted for that CA, then the subject. The first place that holds a code decides; a
 * subject that holds two different codes names nobody.
 */
export function usccOf({ x509 }: ParsedCertificate, usccOids: readonly string[]): string | undefined {
  for (const oid of usccOids) {
    const extension = x509.extensions.find(({ type }) => type === oid);
    const found = extension && codeIn(Buffer.from(extension.value));
    if (found !== undefined) return found;
  }
  const codes = new Set(subjectFields.flatMap((field) => x509.subjectName.getField(field)).flatMap((text) => asCode(text) ?? []));
  return codes.size === 1 ? [...codes][0] : undefined;
}

// UTF8String, PrintableString, IA5String (X.690), which some CAs leave out and write the bare text.
const stringTags = new Set([0x0c, 0x13, 0x16]);

function codeIn(value: Buffer): string | undefined {
  const wrapped = stringTags.has(value[0] ?? 0) && value[1] === value.length - 2;
  return asCode((wrapped ? value.subarray(2) : value).toString('latin1'));
}

function asCode(text: string): string | undefined {
  const code = text.trim();
  return checkUscc(code).ok ? code : undefined;
}
