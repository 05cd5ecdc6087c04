import type { CommandType } from './declared-commands.js';

interface CommandLoader {
  /** As it is typed after `huilian`. */
  readonly name: string;
  /** The command and its subcommands. */
  load(): Promise<readonly CommandType[]>;
}

/** Every command of `huilian`, in the order of its help. The code of one is loaded when it is asked for. */
const commands: readonly CommandLoader[] = [
  { name: 'local', load: async () => [(await import('./lifecycle-commands.js')).LocalCommand] },
  { name: 'init', load: async () => [(await import('./init-command.js')).InitCommand] },
  { name: 'start', load: async () => [(await import('./lifecycle-commands.js')).StartCommand] },
  { name: 'status', load: async () => [(await import('./status-command.js')).StatusCommand] },
  { name: 'doctor', load: async () => [(await import('./doctor-command.js')).DoctorCommand] },
  { name: 'config', load: async () => [(await import('./lifecycle-commands.js')).ConfigCommand] },
  { name: 'reindex', load: async () => [(await import('./lifecycle-commands.js')).ReindexCommand] },
  {
    name: 'accounts',
    load: async () => {
      const { AccountsCommand, AddAccountCommand, DisableAccountCommand, EnableAccountCommand, ListAccountsCommand, SetPasswordCommand, SetRoleCommand, UnlockAccountCommand } = await import('./accounts-commands.js');
      return [AccountsCommand, ListAccountsCommand, AddAccountCommand, SetPasswordCommand, SetRoleCommand, DisableAccountCommand, EnableAccountCommand, UnlockAccountCommand];
    },
  },
  {
    name: 'audit-log',
    load: async () => {
      const { AuditLogCommand, ExportAuditLogCommand, ListAuditLogCommand, VerifyAuditLogCommand } = await import('./audit-log-commands.js');
      return [AuditLogCommand, ListAuditLogCommand, VerifyAuditLogCommand, ExportAuditLogCommand];
    },
  },
  { name: 'audit', load: async () => [(await import('./audit-command.js')).AuditCommand] },
  { name: 'backup', load: async () => [(await import('./backup-commands.js')).BackupCommand] },
  { name: 'restore', load: async () => [(await import('./backup-commands.js')).RestoreCommand] },
  { name: 'ledger', load: async () => [(await import('./lifecycle-commands.js')).LedgerCommand] },
  {
    name: 'governance',
    load: async () => {
      const { ApproveCommand, FoundCommand, GovernanceCommand, ProposalsCommand, ProposeCommand, RejectCommand, RotateKeysCommand } = await import('./governance-commands.js');
      return [GovernanceCommand, FoundCommand, ProposeCommand, ApproveCommand, RejectCommand, ProposalsCommand, RotateKeysCommand];
    },
  },
  {
    name: 'join',
    load: async () => {
      const { AnswerJoinCommand, JoinCommand, JoinListCommand, JoinStatusCommand, ProposeJoinCommand, RequestJoinCommand } = await import('./join-commands.js');
      return [JoinCommand, RequestJoinCommand, JoinStatusCommand, JoinListCommand, ProposeJoinCommand, AnswerJoinCommand];
    },
  },
  { name: 'completeness', load: async () => [(await import('./completeness-commands.js')).CompletenessCommand] },
  { name: 'declare', load: async () => [(await import('./completeness-commands.js')).DeclareCommand] },
  { name: 'catalogue', load: async () => [(await import('./catalogue-command.js')).CatalogueCommand] },
  {
    name: 'keys',
    load: async () => {
      const { ExportKeysCommand, ImportKeysCommand, KeysCommand, ListKeysCommand } = await import('./keys-commands.js');
      return [KeysCommand, ListKeysCommand, ExportKeysCommand, ImportKeysCommand];
    },
  },
  {
    name: 'owner',
    load: async () => {
      const { ObjectRecoveryCommand, OwnerCommand, OwnerKeyCommand, RecoverOwnerCommand, RegisterOwnerCommand, RotateOwnerCommand } = await import('./owner-commands.js');
      return [OwnerCommand, OwnerKeyCommand, RegisterOwnerCommand, RotateOwnerCommand, RecoverOwnerCommand, ObjectRecoveryCommand];
    },
  },
  { name: 'sync', load: async () => [(await import('./sync-command.js')).SyncCommand] },
  {
    name: 'mapping',
    load: async () => {
      const { CheckMappingCommand, DraftMappingCommand, ListMappingsCommand, MappingCommand, PreviewMappingCommand, PutMappingCommand, RemoveMappingCommand, ShowMappingCommand } = await import('./mapping-commands.js');
      return [MappingCommand, DraftMappingCommand, CheckMappingCommand, PreviewMappingCommand, PutMappingCommand, ListMappingsCommand, ShowMappingCommand, RemoveMappingCommand];
    },
  },
  {
    name: 'dead-letters',
    load: async () => {
      const { DeadLettersCommand, DropLettersCommand, ExportLettersCommand, ListLettersCommand, RetryLettersCommand, ShowLetterCommand } = await import('./dead-letters-commands.js');
      return [DeadLettersCommand, ListLettersCommand, ShowLetterCommand, ExportLettersCommand, RetryLettersCommand, DropLettersCommand];
    },
  },
  { name: 'migrate', load: async () => [(await import('./migrate-command.js')).MigrateCommand] },
  {
    name: 'sources',
    load: async () => {
      const { ListSourcesCommand, ReloadSourcesCommand, ShowSourceCommand, SourcesCommand, StopSourceCommand } = await import('./sources-commands.js');
      return [SourcesCommand, ListSourcesCommand, ShowSourceCommand, StopSourceCommand, ReloadSourcesCommand];
    },
  },
  { name: 'publish', load: async () => [(await import('./publish-commands.js')).PublishCommand] },
  { name: 'erase', load: async () => [(await import('./erase-command.js')).EraseCommand] },
  { name: 'query', load: async () => [(await import('./query-command.js')).QueryCommand] },
  { name: 'count', load: async () => [(await import('./count-command.js')).CountCommand] },
  { name: 'export', load: async () => [(await import('./export-command.js')).ExportCommand] },
  {
    name: 'mirror',
    load: async () => {
      const { MirrorCommand, MirrorStatusCommand, RebuildMirrorCommand } = await import('./mirror-commands.js');
      return [MirrorCommand, MirrorStatusCommand, RebuildMirrorCommand];
    },
  },
  {
    name: 'grant',
    load: async () => {
      const { GrantCommand, RevokeGrantCommand } = await import('./grant-commands.js');
      return [GrantCommand, RevokeGrantCommand];
    },
  },
  { name: 'view', load: async () => [(await import('./view-command.js')).ViewCommand] },
  { name: 'flags', load: async () => [(await import('./flags-command.js')).FlagsCommand] },
  { name: 'attest', load: async () => [(await import('./record-words-commands.js')).AttestCommand] },
  { name: 'statement', load: async () => [(await import('./record-words-commands.js')).StatementCommand] },
  { name: 'access', load: async () => [(await import('./access-command.js')).AccessCommand] },
  { name: 'trail', load: async () => [(await import('./trail-command.js')).TrailCommand] },
  { name: 'evidence', load: async () => [(await import('./evidence-commands.js')).EvidenceCommand] },
  { name: 'verify', load: async () => [(await import('./evidence-commands.js')).VerifyCommand] },
  { name: 'reader', load: async () => [(await import('./reader-command.js')).ReaderCommand] },
  { name: 'sandbox', load: async () => [(await import('./sandbox-command.js')).SandboxCommand] },
];

/** The command that is asked for; all of them where it is none, for the help and for what may have been meant. */
export async function chosenCommands(asked: string | undefined): Promise<readonly CommandType[]> {
  const chosen = commands.filter(({ name }) => name === asked);
  return (await Promise.all((chosen.length === 0 ? commands : chosen).map(async ({ load }) => await load()))).flat();
}
