import winston from 'winston';
import { ProtocolError } from '@huilian/protocol';

/** What the node writes about itself. Fields are ids, counts, codes and times: never payloads, keys or personal data. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** JSON lines on standard error: standard output belongs to a command's result. */
export function createLogger(level: string, member: string): Logger {
  const logger = winston.createLogger({
    level,
    defaultMeta: { member },
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    transports: [new winston.transports.Console({ stderrLevels: ['error', 'warn', 'info', 'debug'] })],
  });
  const write = (severity: 'error' | 'warn' | 'info' | 'debug') => (message: string, fields: LogFields = {}): void => {
    logger.log(severity, message, fields);
  };
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
}

/** Fields of an error for a log line: the code where there is one, else only the class, since messages may carry input. */
export function errorFields(error: unknown): LogFields {
  if (error instanceof ProtocolError) return { code: error.code, details: JSON.stringify(error.details) };
  return { code: 'INTERNAL', error: error instanceof Error ? error.name : typeof error, at: firstFrame(error) };
}

function firstFrame(error: unknown): string | undefined {
  return error instanceof Error ? error.stack?.split('\n').find((line) => line.trimStart().startsWith('at '))?.trim() : undefined;
}
