import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';

export interface Look {
  readonly language?: 'en' | 'zh';
  readonly scheme?: 'dark' | 'light';
  readonly width?: number;
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const patience = 15_000;

/** One browser window at the console, which hears whatever the browser complains of. */
export class ConsoleTab {
  /** Errors of scripts, what the policy of the page blocked, failed calls. */
  public readonly faults: string[] = [];
  /** Calls to the node since they were last taken, `GET /v1/…`. */
  public calls: string[] = [];

  private constructor(
    private readonly context: BrowserContext,
    public readonly page: Page,
    private readonly url: string,
  ) {}

  public static async open(browser: Browser, url: string, { language = 'en', scheme = 'light', width = 1280 }: Look = {}): Promise<ConsoleTab> {
    const context = await browser.newContext({ viewport: { width, height: 860 }, locale: language === 'zh' ? 'zh-CN' : 'en-GB', colorScheme: scheme });
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    const tab = new ConsoleTab(context, page, url);
    page.on('pageerror', (error) => tab.faults.push(error.message));
    page.on('console', (message) => {
      // That a canvas is read twice is the test's own doing.
      if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Canvas2D: Multiple readback')) tab.faults.push(message.text());
    });
    page.on('request', (request) => {
      const { pathname, search } = new URL(request.url());
      if (pathname.startsWith('/v1/')) tab.calls.push(`${request.method()} ${pathname}${search}`);
    });
    await page.goto(url);
    return tab;
  }

  /** As a person does it, by the keyboard. */
  public async signIn(account: string, password: string): Promise<void> {
    await this.page.getByRole('textbox', { name: /^(Account|账号)$/ }).fill(account);
    await this.page.getByRole('textbox', { name: /^(Password|密码)/ }).fill(password);
    await this.page.keyboard.press('Enter');
  }

  /** Opens a place of the console, and waits until it says what it has to say. */
  public async go(place: string): Promise<void> {
    await this.page.goto(`${this.url}#${place}`);
    await this.page.locator(`main[data-place="${place.split('?')[0] ?? ''}"]`).waitFor();
    await this.settled();
  }

  public async settled(): Promise<void> {
    await this.page.getByRole('heading', { level: 1 }).waitFor();
    await this.page.waitForFunction(() => document.querySelector('[aria-busy=true]') === null);
    await this.page.waitForLoadState('networkidle');
  }

  /** What axe finds serious or critical, rule by rule, with where. */
  public async axe(): Promise<string[]> {
    await this.page.evaluate(axe);
    const found = await this.page.evaluate(async () => {
      const { axe: checker } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { target: string[] }[] }[] }> } };
      return (await checker.run()).violations;
    });
    return found.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.slice(0, 3).map(({ target }) => target.join(' ')).join(', ')}`);
  }

  /** How far the page goes beyond the window sideways. */
  public async overflow(): Promise<number> {
    return await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  }

  /** Whether the first chart of the page has something on it. */
  public async isPainted(): Promise<boolean> {
    return await this.page.evaluate(() => {
      const canvas = document.querySelector('canvas');
      const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data;
      return pixels !== undefined && pixels.some((value) => value > 0);
    });
  }

  public takeCalls(): string[] {
    const { calls } = this;
    this.calls = [];
    return calls;
  }

  public async close(): Promise<void> {
    await this.context.close();
  }
}
