/** A map that forgets what was set longest ago once it holds too much. */
export class BoundedMap<K, V> {
  private readonly entries = new Map<K, V>();

  public constructor(private readonly most: number) {}

  public get(key: K): V | undefined {
    return this.entries.get(key);
  }

  public set(key: K, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size <= this.most) return;
    const [oldest] = this.entries.keys();
    this.entries.delete(oldest as K);
  }

  public delete(key: K): void {
    this.entries.delete(key);
  }

  public clear(): void {
    this.entries.clear();
  }
}
