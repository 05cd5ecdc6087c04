import type { World } from '../world.js';
import type { EmbeddedConsortium } from './embedded-consortium.js';

export interface EmbeddedWorld extends World {
  readonly consortium: EmbeddedConsortium;
}
