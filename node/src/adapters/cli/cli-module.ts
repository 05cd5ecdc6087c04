import type { Provider } from '@nestjs/common';
import { AccessCommand } from './access-command.js';
import { AuditCommand } from './audit-command.js';
import { DoctorCommand } from './doctor-command.js';
import { EvidenceCommand, VerifyCommand } from './evidence-commands.js';
import { ApproveCommand, FoundCommand, GovernanceCommand, ProposalsCommand, ProposeCommand, RejectCommand, RotateKeysCommand } from './governance-commands.js';
import { GrantCommand, RevokeGrantCommand } from './grant-commands.js';
import { InitCommand } from './init-command.js';
import { ExportKeysCommand, ImportKeysCommand, KeysCommand, ListKeysCommand } from './keys-commands.js';
import { ConfigCommand, LedgerCommand, LocalCommand, ReindexCommand, StartCommand } from './lifecycle-commands.js';
import { ObjectRecoveryCommand, OwnerCommand, OwnerKeyCommand, RecoverOwnerCommand, RegisterOwnerCommand, RotateOwnerCommand } from './owner-commands.js';
import { PublishCommand, SyncCommand } from './publish-commands.js';
import { QueryCommand } from './query-command.js';
import { ReaderCommand } from './reader-command.js';
import { SandboxCommand } from './sandbox-command.js';
import { StatusCommand } from './status-command.js';
import { TrailCommand } from './trail-command.js';

/** Every command of `huilian`, in the order of its help. */
export const cliProviders: readonly Provider[] = [
  ...[LocalCommand, InitCommand, StartCommand, StatusCommand, DoctorCommand, ConfigCommand, ReindexCommand, AuditCommand, LedgerCommand],
  ...[GovernanceCommand, FoundCommand, ProposeCommand, ApproveCommand, RejectCommand, ProposalsCommand, RotateKeysCommand],
  ...[KeysCommand, ListKeysCommand, ExportKeysCommand, ImportKeysCommand],
  ...[OwnerCommand, OwnerKeyCommand, RegisterOwnerCommand, RotateOwnerCommand, RecoverOwnerCommand, ObjectRecoveryCommand],
  ...[SyncCommand, PublishCommand, QueryCommand],
  ...[GrantCommand, RevokeGrantCommand, AccessCommand, TrailCommand, EvidenceCommand, VerifyCommand],
  ...[ReaderCommand, SandboxCommand],
];
