import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { object, optional, ProtocolError, text } from '@huilian/protocol';
import { textAnswer } from './answer-schemas.js';
import { Declare } from './declare-route.js';

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8', '.html': 'text/html; charset=utf-8', '.ico': 'image/x-icon', '.js': 'text/javascript; charset=utf-8', '.json': 'application/json; charset=utf-8',
  '.png': 'image/png', '.svg': 'image/svg+xml', '.txt': 'text/plain; charset=utf-8', '.webmanifest': 'application/manifest+json', '.woff2': 'font/woff2',
};
const index = 'index.html';
/** Why a sign-in by the staff directory came to nothing, for the page to say. */
const pageQuery = object({ refused: optional(text(/[A-Z][A-Z0-9_]{2,40}/, 42)) });

/** The address of the console is that of its page, for the router knows no empty names. */
export function pageOfConsole({ url = '/' }: { readonly url?: string }): string {
  return url.replace(/^\/console\/(?=\?|$)/, `/console/${index}`);
}

/** Files whose names are made of their content. */
const assets = 'assets/';

/** Files of the built console by their names: what is not on this list when the node starts is served to nobody. */
export class ConsoleFiles {
  private readonly files: ReadonlyMap<string, string>;

  public constructor(folder: string | undefined) {
    this.files = new Map(folder === undefined ? [] : namesIn(folder).map((name) => [name, path.join(folder, name)]));
  }

  public get isBuilt(): boolean {
    return this.files.has(index);
  }

  /** @throws NOT_FOUND */
  public async read(name: string): Promise<{ readonly bytes: Buffer; readonly type: string }> {
    const [file, type] = [this.files.get(name), types[path.extname(name)]];
    if (file === undefined || type === undefined) throw new ProtocolError('NOT_FOUND');
    return { bytes: await readFile(file), type };
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return entries.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
  } catch {
    return [];
  }
}

/** Everything from this node alone, no script or style in the page itself, in no other page's frame. */
const headers = {
  'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const notBuilt = `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>控制台尚未构建 / The console is not built</title></head><body><h1>控制台尚未构建</h1>
<p>本节点的接口照常工作；控制台页面的文件不在 node/console/dist。请在代码目录运行 <code>npm run build</code> 后重新启动节点。</p>
<h1 lang="en">The console is not built</h1><p lang="en">The node's interfaces work as ever; the pages of the console are not in node/console/dist. Run <code>npm run build</code> in the checkout, then start the node again.</p></body></html>
`;

/** The console's pages. Who opens them is told nothing by them: they ask the other routes, as whoever signs in. */
@Controller()
export class ConsoleController {
  public constructor(private readonly files: ConsoleFiles) {}

  @Declare({ id: 'front', en: 'a browser is led to the console', zh: '浏览器转到控制台', who: 'anyone', status: 302, codes: ['NOT_FOUND'], curl: "curl -s -H 'accept: text/html' $NODE/" })
  @Get()
  public front(@Req() { headers: { accept = '' } }: FastifyRequest, @Res() reply: FastifyReply): void {
    if (!accept.includes('text/html')) throw new ProtocolError('NOT_FOUND');
    void reply.redirect('/console/', 302);
  }

  @Declare({ id: 'consoleAddress', en: 'the address of the console, with its slash', zh: '控制台地址', who: 'anyone', status: 302, curl: 'curl -s $NODE/console' })
  @Get('console')
  public address(@Res() reply: FastifyReply): void {
    void reply.redirect('/console/', 302);
  }

  @Declare({ id: 'console', en: 'the console: its page, and files beside it', zh: '控制台页面', who: 'anyone', answer: textAnswer, query: pageQuery, answerType: 'text/html', also: [503], codes: ['NOT_FOUND'], curl: 'curl -s $NODE/console/' })
  @Get('console/:file')
  public async page(@Param('file') name: string, @Res() reply: FastifyReply): Promise<void> {
    const isPage = name === index;
    if (isPage && !this.files.isBuilt) {
      await reply.status(503).headers({ ...headers, 'cache-control': 'no-store', 'content-type': types['.html'] }).send(notBuilt);
      return;
    }
    await this.send(name, isPage ? 'no-store' : 'no-cache', reply);
  }

  @Declare({ id: 'consoleFile', en: 'a file of the console, by a name made of its content', zh: '控制台静态文件', who: 'anyone', answer: textAnswer, answerType: 'text/javascript', codes: ['NOT_FOUND'], curl: 'curl -s $NODE/console/assets/$CONSOLE_FILE' })
  @Get('console/assets/:file')
  public async file(@Param('file') name: string, @Res() reply: FastifyReply): Promise<void> {
    await this.send(`${assets}${name}`, 'public, max-age=31536000, immutable', reply);
  }

  private async send(name: string, caching: string, reply: FastifyReply): Promise<void> {
    const { bytes, type } = await this.files.read(name);
    await reply.status(200).headers({ ...headers, 'cache-control': caching, 'content-type': type }).send(bytes);
  }
}
