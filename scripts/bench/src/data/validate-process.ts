import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { importRow, kindDefinition, validateRecord } from '@huilian/protocol';

/** Reads a CSV file and validates every row, and does nothing else with it: node validate-process.js FILE. Says the seconds it took. */
const [file = ''] = process.argv.slice(2);
const kind = kindDefinition('qualification', 1);
if (kind === undefined) throw new Error('there is no qualification/1');

async function run(): Promise<{ rows: number; seconds: number }> {
  const started = performance.now();
  let rows = 0;
  for await (const row of createReadStream(file).pipe(parse({ columns: true }))) {
    const { data, problems } = importRow(kind as NonNullable<typeof kind>, row as Record<string, string>);
    if (data === undefined || !validateRecord('qualification', 1, data).ok) throw new Error(`a row does not hold: ${JSON.stringify(problems)}`);
    rows += 1;
  }
  return { rows, seconds: (performance.now() - started) / 1000 };
}

process.send?.(await run());
