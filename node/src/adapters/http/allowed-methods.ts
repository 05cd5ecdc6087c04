import type { DeclaredRoute } from './open-api.js';

/** Which methods an address takes, so that a call of another is told so (RFC 9110, 15.5.6). */
export class AllowedMethods {
  private readonly byPattern: readonly { readonly pattern: RegExp; readonly method: string }[];

  public constructor(routes: readonly DeclaredRoute[]) {
    this.byPattern = routes.map(({ method, path }) => ({ method, pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`, 'u') }));
  }

  /** Methods of an address, as the Allow header lists them; empty where no route has it. */
  public of(url: string): readonly string[] {
    const address = url.split('?')[0] ?? '';
    const methods = new Set(this.byPattern.filter(({ pattern }) => pattern.test(address)).map(({ method }) => method));
    return [...(methods.has('GET') ? ['GET', 'HEAD'] : []), ...(methods.has('POST') ? ['POST'] : []), ...(methods.has('PUT') ? ['PUT'] : []), ...(methods.has('DELETE') ? ['DELETE'] : [])];
  }
}
