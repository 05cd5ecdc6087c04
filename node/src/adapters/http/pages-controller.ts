import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { Controller, Get, Header, Param } from '@nestjs/common';
import { errorCatalogue, isErrorCode, ProtocolError, type ErrorCode, type JsonObject } from '@huilian/protocol';
import { anyAnswer, textAnswer } from './answer-schemas.js';
import { Declare } from './declare-route.js';

/** The document of this node's routes; made once all controllers are known. */
export class ApiDocument {
  public constructor(public readonly content: JsonObject) {}
}

const html = 'text/html; charset=utf-8';
// Nothing from elsewhere: these pages work where there is no other network than the node's. Swagger UI sets styles by script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const file = (name: string): string => readFileSync(createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`), 'utf8');

/** The API told to programs and to people. */
@Controller()
export class PagesController {
  private readonly bundle = file('swagger-ui-bundle.js');
  private readonly styles = file('swagger-ui.css');

  public constructor(private readonly document: ApiDocument) {}

  @Declare({ id: 'openApi', en: 'this document', zh: '本接口文档', who: 'anyone', answer: anyAnswer, curl: 'curl -s $NODE/openapi.json' })
  @Get('openapi.json')
  public openApi(): object {
    return this.document.content;
  }

  @Declare({ id: 'docs', en: 'this document as a page', zh: '接口文档页面', who: 'anyone', answer: textAnswer, answerType: 'text/html', curl: 'curl -s $NODE/docs' })
  @Get('docs')
  @Header('content-type', html)
  @Header('content-security-policy', policy)
  public docs(): string {
    return pageOf('汇链节点接口 / Huilian node API', '<div id="swagger-ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>', '<link rel="stylesheet" href="/docs/swagger-ui.css">');
  }

  @Declare({ id: 'docsStyles', en: 'styles of the page', zh: '页面样式', who: 'anyone', answer: textAnswer, answerType: 'text/css', curl: 'curl -s $NODE/docs/swagger-ui.css' })
  @Get('docs/swagger-ui.css')
  @Header('content-type', 'text/css; charset=utf-8')
  @Header('cache-control', 'public, max-age=86400')
  public docsStyles(): string {
    return this.styles;
  }

  @Declare({ id: 'docsProgram', en: 'program of the page', zh: '页面程序', who: 'anyone', answer: textAnswer, answerType: 'text/javascript', curl: 'curl -s $NODE/docs/swagger-ui-bundle.js' })
  @Get('docs/swagger-ui-bundle.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  @Header('cache-control', 'public, max-age=86400')
  public docsProgram(): string {
    return this.bundle;
  }

  @Declare({ id: 'docsStart', en: 'what starts the page', zh: '页面启动脚本', who: 'anyone', answer: textAnswer, answerType: 'text/javascript', curl: 'curl -s $NODE/docs/start.js' })
  @Get('docs/start.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  public docsStart(): string {
    return "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null, docExpansion: 'list', defaultModelsExpandDepth: -1 });\n";
  }

  @Declare({ id: 'errors', en: 'every code a refusal may carry', zh: '错误代码目录', who: 'anyone', answer: textAnswer, answerType: 'text/html', curl: 'curl -s $NODE/errors' })
  @Get('errors')
  @Header('content-type', html)
  @Header('content-security-policy', policy)
  public errors(): string {
    const rows = Object.keys(errorCatalogue).map((code) => {
      const { en, http, stage, zh } = errorCatalogue[code as ErrorCode];
      return `<tr><td><a href="/errors/${code}">${code}</a></td><td>${String(http)}</td><td>${stage}</td><td>${escaped(zh)}<br>${escaped(en)}</td></tr>`;
    });
    return pageOf('错误代码 / Error codes', `<table><tr><th>代码 code</th><th>HTTP</th><th>阶段 stage</th><th>含义 meaning</th></tr>${rows.join('')}</table>`);
  }

  @Declare({ id: 'error', en: 'one code: meaning and next step', zh: '错误代码说明', who: 'anyone', answer: textAnswer, answerType: 'text/html', codes: ['NOT_FOUND'], curl: 'curl -s $NODE/errors/GRANT_EXPIRED' })
  @Get('errors/:code')
  @Header('content-type', html)
  @Header('content-security-policy', policy)
  public error(@Param('code') code: string): string {
    if (!isErrorCode(code)) throw new ProtocolError('NOT_FOUND');
    const { en, http, next, stage, zh } = errorCatalogue[code];
    return pageOf(code, `<p>${escaped(zh)}<br>${escaped(en)}</p><h2>怎么办 / What to do</h2><p>${escaped(next.zh)}<br>${escaped(next.en)}</p><p>HTTP ${String(http)} · ${stage}</p><p><a href="/errors">全部代码 / all codes</a></p>`);
  }
}

const look = 'body{margin:0}main{font:16px/1.6 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}table{border-collapse:collapse;width:100%;font-size:.9rem}td,th{border-bottom:1px solid #ccc;padding:.4rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}';

function pageOf(title: string, body: string, head = ''): string {
  return `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title>${head}<style>${look}</style></head><body><main><h1>${title}</h1>${body}</main></body></html>\n`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);
}
