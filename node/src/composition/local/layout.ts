import path from 'node:path';
import { packageFolder } from '../package-folder.js';

/** The cast of the local consortium: three centres, a bank and two platforms, all fictional. */
export interface LocalMember {
  readonly id: string;
  readonly kind: 'centre' | 'institution' | 'platform';
  readonly host?: string;
  readonly nameZh: string;
  readonly nameEn: string;
  readonly region: string;
}

export const centres: readonly LocalMember[] = [
  { id: 'guangzhou', kind: 'centre', nameZh: '广州公共资源交易中心（示例）', nameEn: 'Guangzhou trading centre (sample)', region: '440100' },
  { id: 'zhuhai', kind: 'centre', nameZh: '珠海公共资源交易中心（示例）', nameEn: 'Zhuhai trading centre (sample)', region: '440400' },
  { id: 'beijing', kind: 'centre', nameZh: '北京公共资源交易中心（示例）', nameEn: 'Beijing trading centre (sample)', region: '110000' },
];

export const hostedMembers: readonly LocalMember[] = [
  { id: 'sample-bank', kind: 'institution', host: 'beijing', nameZh: '示例银行', nameEn: 'Sample Bank', region: '110000' },
  { id: 'zhuhai-platform', kind: 'platform', host: 'zhuhai', nameZh: '珠海示例交易平台', nameEn: 'Zhuhai sample platform', region: '440400' },
  { id: 'guangzhou-platform', kind: 'platform', host: 'guangzhou', nameZh: '广州示例交易平台', nameEn: 'Guangzhou sample platform', region: '440100' },
];

/** MSP id of a centre's organisation. */
export function organisationOf(centre: string): string {
  return `${centre.charAt(0).toUpperCase()}${centre.slice(1)}MSP`;
}

const repository = path.dirname(packageFolder());

/** Export files that the centres sync. */
export const sampleData = path.join(repository, 'network-config', 'local', 'data');

/** The command that brings Fabric networks up and down: a tool of the repository, not a part of the node. */
export const fabricNetworkCommand = path.join(repository, 'scripts', 'fabric', 'dist', 'main.js');

/** Where everything of a local consortium lies, under one state folder. */
export class Layout {
  public constructor(public readonly root: string) {}

  /** Which ledger the folder was begun with. */
  public get engine(): string {
    return path.join(this.root, 'engine.txt');
  }

  public get ledger(): string {
    return path.join(this.root, 'ledger');
  }

  public get sampleCa(): string {
    return path.join(this.root, 'sample-ca');
  }

  public get owners(): string {
    return path.join(this.root, 'owners');
  }

  public get logs(): string {
    return path.join(this.root, 'logs');
  }

  public node(centre: string): string {
    return path.join(this.root, 'nodes', centre);
  }

  public member(id: string): string {
    return path.join(this.root, 'members', id);
  }

  /** What a reader stored of its reads. */
  public reader(id: string): string {
    return path.join(this.root, 'readers', id);
  }
}
