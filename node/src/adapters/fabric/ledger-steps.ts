import type { LedgerFunction } from '@huilian/protocol';
import { passStep } from '../../core/failpoints.js';

/** The steps that both clients pass on behalf of the flows that have them. */
export function passEndorsed(name: LedgerFunction): Promise<void> | undefined {
  if (name === 'publish') return passStep('P7');
  return name === 'open' ? passStep('R2') : undefined;
}

export function passOrdered(name: LedgerFunction): Promise<void> | undefined {
  if (name === 'publish') return passStep('P8');
  return name === 'open' ? passStep('R3') : undefined;
}
