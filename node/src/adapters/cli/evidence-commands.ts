import { Command, Option } from './declared-commands.js';
import { digestShape, ticketIdShape } from '@huilian/protocol';
import type { EvidenceReport } from '@huilian/sdk';
import { readJsonFile, readMemberKeys, writeJsonFile } from './command-files.js';
import { given, HuilianCommand, NodeCommand, nodeUrl, type CommandResult, type NodeOptions, type OutputOptions } from './huilian-command.js';

interface EvidenceOptions extends NodeOptions {
  readonly memberKeys?: string;
  readonly out?: string;
}

@Command({
  name: 'evidence',
  arguments: '<ticket>',
  argsDescription: { ticket: 'as huilian access shows it / 凭证编号' },
  description:
    'fetch the evidence of an access into a file / 导出证据包。Example: huilian evidence 4f0e…/0 --member-keys member-keys.json --node https://node.example.org --out evidence.json',
})
export class EvidenceCommand extends NodeCommand<EvidenceOptions> {
  protected async act([ticket = '']: readonly string[], options: EvidenceOptions): Promise<CommandResult> {
    ticketIdShape.read(ticket, 'ticket');
    const out = given(options.out, '--out');
    const keys = readMemberKeys(given(options.memberKeys, '--member-keys'));
    const { MemberClient } = await import('@huilian/sdk');
    const evidence = await (await MemberClient.connect(nodeUrl(options), keys)).evidence(ticket);
    writeJsonFile(out, evidence);
    return { json: { ticket, out }, text: `written to 已写入 ${out}\nverify it with 验证: huilian verify ${out} --charter FINGERPRINT` };
  }

  @Option({ flags: '--member-keys <file>', description: "the reader's keys, as huilian init wrote them / 成员密钥文件" })
  public parseMemberKeys(value: string): string {
    return value;
  }

  @Option({ flags: '--out <file>', description: 'evidence file / 证据文件' })
  public parseOut(value: string): string {
    return value;
  }
}

interface VerifyOptions extends OutputOptions {
  readonly charter?: string;
}

@Command({
  name: 'verify',
  arguments: '<file>',
  argsDescription: { file: 'evidence file / 证据文件' },
  description: 'verify evidence offline, from the charter fingerprint alone / 离线验证证据。Example: huilian verify evidence.json --charter 9c1b…',
})
export class VerifyCommand extends HuilianCommand<VerifyOptions> {
  protected async act([file = '']: readonly string[], options: VerifyOptions): Promise<CommandResult> {
    const fingerprint = digestShape.read(given(options.charter, '--charter'), '--charter');
    const evidence = readJsonFile(file, 'EVIDENCE_MALFORMED');
    const { verifyEvidence } = await import('@huilian/sdk');
    const report = await verifyEvidence(evidence, fingerprint);
    return { json: report, text: describeReport(report), failed: !report.ok };
  }

  @Option({ flags: '--charter <fingerprint>', description: "the charter's fingerprint, 64 hex digits, from a source you trust / 章程指纹" })
  public parseCharter(value: string): string {
    return value;
  }
}

const marks = { holds: '✓', fails: '✗', 'not-provable-yet': '…' } as const;

function describeReport({ checks, ok, owner, reader, ticket }: EvidenceReport): string {
  return [
    `ticket 凭证 ${ticket}`,
    `reader 读取方 ${reader || '-'}  owner 权属人 ${owner || '-'}`,
    ...checks.map(({ en, result, why, zh }) => `  ${marks[result]} ${zh} / ${en}${result === 'not-provable-yet' ? ' (needs the ledger / 需账本)' : ''}${why === undefined ? '' : `: ${why}`}`),
    ok ? 'verified / 验证通过' : 'NOT verified: do not rely on this file / 验证不通过，请勿采信',
  ].join('\n');
}
