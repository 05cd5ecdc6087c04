// The browser of the browser tests starts, draws Chinese, and says plainly what is wrong where it cannot.
import { chromium as playwright, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromium } from '../../scripts/ensure-chromium.mjs';

// The first run on a machine installs the browser.
const FIRST_RUN_MS = 300_000;

describe('the test browser', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await playwright.launch(await chromium());
  }, FIRST_RUN_MS);

  afterAll(async () => {
    await browser?.close();
  });

  it('draws each Chinese character as itself: boxes for missing ones would all look alike', async () => {
    const page = await browser.newPage();
    const drawn = await page.evaluate(() => {
      return [...'汇链公共资源交易授权凭证', '\u{10FFFE}'].map((character) => {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [80, 80];
        const pen = canvas.getContext('2d');
        if (pen === null) throw new Error('no canvas');
        pen.font = '64px sans-serif';
        pen.fillText(character, 4, 64);
        return canvas.toDataURL();
      });
    });
    expect(new Set(drawn).size).toBe(drawn.length);
    expect(drawn).toHaveLength(13);
  });

  it('refuses a CHROMIUM_BIN that is no program, in both languages', async () => {
    const before = process.env['CHROMIUM_BIN'];
    process.env['CHROMIUM_BIN'] = '/nowhere/chromium';
    try {
      await expect(chromium()).rejects.toThrow(/names no program[^]*程序不存在/);
    } finally {
      if (before === undefined) delete process.env['CHROMIUM_BIN'];
      else process.env['CHROMIUM_BIN'] = before;
    }
  });
});
