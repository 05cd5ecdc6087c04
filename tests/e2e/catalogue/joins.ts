import path from 'node:path';
import { writeFileSync } from 'node:fs';
import type { MemberKeys } from '@huilian/sdk';
import { canonicalBytes, type MemberState } from '@huilian/protocol';
import { describe, expect, it } from 'vitest';
import { command, readJson } from '../main-job.js';
import { codeOf, expectRefusal, type Centre, type RunningConsortium } from '../running-consortium.js';

interface Join { readonly id: string; readonly status: string; readonly centre: string; readonly reasons?: Readonly<Record<string, string>>; readonly answer?: { readonly note?: string }; readonly document: { readonly id: string } }
interface Decided { readonly response: { readonly proposal: string; readonly status: string } }

/** An applicant asks at one centre, another proposes it, the vote decides, the applicant hears why; and a centre without a vote. */
export function joinCases(consortium: RunningConsortium): void {
  const state = (centre: Centre): readonly string[] => ['--state', path.join(consortium.dir, 'nodes', centre)];
  const applicant = path.join(consortium.dir, 'applicant');
  const node = (): readonly string[] => ['--node', consortium.api('guangzhou').url];
  const ask = async (): ReturnType<typeof command<Join>> => await command<Join>('join', 'request', '--state', applicant, ...node());
  const decide = async (centre: Centre, ...args: readonly string[]): Promise<string> => {
    const decided = await command<Decided>(...args, ...state(centre));
    expect(decided, JSON.stringify(decided.error)).toMatchObject({ code: 0 });
    await consortium.whenLevel();
    return decided.answer.response.proposal;
  };

  describe('a request to join', () => {
    it('is seen at every centre, refused with reasons that the applicant hears, and asked again', async () => {
      const made = await command('init', '--state', applicant, '--member', 'joining-bank', '--kind', 'institution', '--host', 'guangzhou', '--organisation', 'GuangzhouMSP', '--region', '440100', '--name-zh', '示例申请银行', '--name-en', 'Applicant bank (sample)', '--contact', 'https://sample.invalid');
      expect(made.code).toBe(0);
      const { answer: { id, status } } = await ask();
      expect(status).toBe('received');
      const listed = await command<{ items: Join[]; missing: string[] }>('join', 'list', ...state('beijing'));
      expect(listed.answer.missing).toEqual([]);
      expect(listed.answer.items.map((join) => [join.id, join.centre, join.document.id])).toContainEqual([id, 'guangzhou', 'joining-bank']);
      const proposal = await decide('zhuhai', 'join', 'propose', id);
      expect(await command('join', 'propose', id, ...state('beijing'))).toMatchObject({ code: 1, error: { code: 'JOIN_CLOSED' } });
      await decide('guangzhou', 'governance', 'reject', proposal, '--reason', 'documents-incomplete');
      await decide('beijing', 'governance', 'reject', proposal, '--reason', 'identity-unverified');
      await command('join', 'answer', id, '--note', 'the page of contact does not open', ...state('guangzhou'));
      const refused = await command<Join>('join', 'status', id, ...node());
      expect(refused).toMatchObject({ code: 1, answer: { status: 'refused', reasons: { guangzhou: 'documents-incomplete', beijing: 'identity-unverified' }, answer: { note: 'the page of contact does not open' } } });
      // Words stay at the node; the ledger has the codes.
      const { items } = (await consortium.api('beijing').get('/v1/governance/proposals')) as { items: { id: string; reasons?: object }[] };
      expect(JSON.stringify(items.find((entry) => entry.id === proposal))).not.toContain('does not open');
      expect(items.find((entry) => entry.id === proposal)?.reasons).toEqual({ guangzhou: 'documents-incomplete', beijing: 'identity-unverified' });
    });

    it('made again and adopted lets the applicant in', async () => {
      const { answer: { id } } = await ask();
      const proposal = await decide('guangzhou', 'join', 'propose', id);
      await decide('beijing', 'governance', 'approve', proposal);
      expect(await command<Join>('join', 'status', id, ...node())).toMatchObject({ code: 0, answer: { status: 'admitted' } });
      const client = await consortium.client('joining-bank', readJson<MemberKeys>(path.join(applicant, 'member-keys.json')));
      expect((await client.page({ limit: 1 })).items).toHaveLength(1);
      expect(await ask()).toMatchObject({ code: 1, error: { code: 'MEMBER_EXISTS' } });
    });

    it('is refused where it is unknown, or signed by another key, or asked of a centre that shall not host', async () => {
      expect(await command('join', 'status', 'a'.repeat(64), ...node())).toMatchObject({ code: 1, error: { code: 'JOIN_UNKNOWN' } });
      expectRefusal(await consortium.call('guangzhou', 'POST', '/v1/joins', { request: 'e30.e30.e30' }), 'BAD_FIELD', 400);
      expect(await command('join', 'request', '--state', applicant, '--node', consortium.api('zhuhai').url)).toMatchObject({ code: 1, error: { code: 'BAD_FIELD', details: { path: '/document/host' } } });
      expect(await command('join', 'answer', 'a'.repeat(64), '--reason', 'unheard-of', ...state('guangzhou'))).toMatchObject({ code: 2 });
    });
  });

  describe('a centre that was suspended', () => {
    it('has no vote, by command, at the door or at the ledger, until it is admitted again', async () => {
      const before = (await consortium.api('guangzhou').get('/v1/members/beijing')) as MemberState;
      const open = await decide('guangzhou', 'governance', 'propose', 'suspend', 'joining-bank');
      const suspension = await decide('guangzhou', 'governance', 'propose', 'suspend', 'beijing');
      await decide('zhuhai', 'governance', 'approve', suspension);
      for (const vote of ['approve', 'reject'] as const) {
        expect(await command('governance', vote, open, ...state('beijing'))).toMatchObject({ code: 1, error: { code: 'NOT_A_CENTRE' } });
        expectRefusal(await consortium.call('beijing', 'POST', `/v1/governance/${vote}`, { proposal: open }, 'operator'), 'NOT_A_CENTRE', 403);
        const ledger = await consortium.ledgerOf('BeijingMSP');
        expect(await codeOf(ledger.submit(vote, canonicalBytes({ proposal: open })).finally(async () => { await ledger.close(); }))).toBe('NOT_A_CENTRE');
      }
      const admission = path.join(consortium.dir, 'beijing-again.json');
      writeFileSync(admission, JSON.stringify({ member: before.document, caCertificate: before.caCertificate }));
      const again = await decide('guangzhou', 'governance', 'propose', 'admit', admission);
      await decide('zhuhai', 'governance', 'approve', again);
      await decide('beijing', 'governance', 'reject', open, '--reason', 'not-agreed');
    });
  });
}
