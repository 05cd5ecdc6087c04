import type { Clock } from '../ports.js';
import type { Catalogue, CatalogueEnd } from './catalogue.js';

const day = 86_400_000;
const betweenLooks = 3_600_000;

/** Tells once a day of everything that ends soon, while the node runs. */
export class EndsWatch {
  private readonly stopping = new AbortController();
  private readonly told = new Map<string, number>();

  public constructor(
    private readonly catalogue: Catalogue,
    private readonly clock: Clock,
    private readonly tell: (end: CatalogueEnd) => void,
  ) {}

  public start(): void {
    void this.run();
  }

  public stop(): void {
    this.stopping.abort();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.look();
      await this.clock.sleep(betweenLooks, signal);
    }
  }

  private async look(): Promise<void> {
    // A store that fails says so where it matters.
    const ends = await this.catalogue.endsSoon().catch(() => []);
    const now = this.clock.now();
    for (const end of ends) {
      const key = `${end.of}/${end.id}/${String(end.version ?? '')}/${String(end.retires)}`;
      if (now - (this.told.get(key) ?? -day) < day) continue;
      this.told.set(key, now);
      this.tell(end);
    }
  }
}
