/** A change of the built program as it is loaded: in a file, one text in place of another that must be there. */
export interface Plant {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Bugs that a drill is seen to find (docs/reliability.md): a judge that finds nothing must be shown to be able to. Each
 * names text of the built program; where that changes, the process refuses to start, and the test that plants it fails.
 */
export const plants: Readonly<Record<string, Plant>> = {
  'acknowledge-before-write': {
    file: 'node/dist/core/intake/commit-groups.js',
    from: 'await store.write([...this.writes(versions, draft.from), draft.write, ...notes]);',
    to: 'const later = [...this.writes(versions, draft.from), draft.write, ...notes]; setTimeout(() => void store.write(later).catch(() => undefined), 400);',
  },
  'forget-frozen-batches': {
    file: 'node/dist/core/outbox/frozen-batches.js',
    from: 'batches.set(batch.seq, batch);',
    to: 'void batch;',
  },
  'read-no-revocation': {
    file: 'chaincode/dist/rules/grant-permission.js',
    from: "if ((await context.state.get('revocation', grant.owner, digest)) !== undefined)",
    to: 'if (false)',
  },
  'release-without-looking': {
    file: 'node/dist/core/exchange/release-records.js',
    from: 'this.checkLive(ticketId, ticket);',
    to: '',
  },
  'position-before-delivery': {
    file: 'node/dist/core/events/deliver-webhook.js',
    from: 'const failure = await this.send(events, signal);',
    to: 'await this.delivered(events); const failure = await this.send(events, signal);',
  },
  'position-before-acknowledgement': {
    file: 'node/dist/core/sync/sync-run.js',
    from: 'this.sinceCheckpoint.position = row.position;',
    to: 'this.sinceCheckpoint.position = (this.waiting.at(-1) ?? row).position;',
  },
  'forget-the-mark': {
    file: 'node/dist/core/outbox/outbox-chain.js',
    from: 'if (mark !== undefined)',
    to: 'if (mark === null)',
  },
};
