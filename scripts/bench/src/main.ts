import { parseArgs } from 'node:util';
import { dataBench } from './data/data-bench.js';
import { embeddedBench } from './embedded/embedded-bench.js';
import { fabricBench } from './fabric/fabric-bench.js';
import { isMet, jsonLine, table } from './measure.js';
import { runBench, type BenchOptions, type BenchResult } from './run-bench.js';
import { BenchError } from './world.js';

const usualRecords = 10_000;
const idsOf = (bench: { readonly groups: readonly { readonly ids: readonly string[] }[] }): readonly string[] => bench.groups.flatMap(({ ids }) => ids);
const benches: Readonly<Record<string, { readonly ids: readonly string[]; readonly records?: number; run(options: BenchOptions): Promise<BenchResult> }>> = {
  data: { ids: idsOf(dataBench), records: dataBench.records ?? usualRecords, run: async (options) => await runBench(dataBench, options) },
  embedded: { ids: idsOf(embeddedBench), run: async (options) => await runBench(embeddedBench, options) },
  fabric: { ids: idsOf(fabricBench), run: async (options) => await runBench(fabricBench, options) },
};

const usage = `npm run bench -- data|embedded|fabric [--only P1,P4] [--quick] [--records N] [--pairs N] [--dir FOLDER] [--profile-node]

  Brings a consortium up, measures it against the plain ways of doing the same, audits it, and takes it down. A table,
  then one line of JSON a measure.
  启动联盟，测量并与常规做法对比，审计后关闭；输出表格，再逐行输出 JSON。

  data            what goes out of a node, against PostgreSQL 15 / 查询与镜像，对照 PostgreSQL 15
                  ${idsOf(dataBench).join(', ')}
  embedded        on the embedded ledger: nothing else is needed / 内嵌账本
                  ${idsOf(embeddedBench).join(', ')}
  fabric          on real Hyperledger Fabric (Raft) / 真实 Fabric（Raft）网络
                  ${idsOf(fabricBench).join(', ')}

  --only          only these measures / 只测所列指标
  --records       records of one push (10000), of the whole run for data (1000000) / 每次推送记录数；data 为总数
  --pairs         interleaved pairs of each comparison (3) / 交替对数
  --quick         small and short: to see that it runs, not to quote / 快速试跑
  --dir           where the consortium lives; else a temporary folder / 工作目录
  --profile-node  write a processor profile of each node into FOLDER/profiles / 输出节点性能剖析

  npm run bench -- embedded
  npm run bench -- data --records 50000
  npm run bench -- fabric --only P1,P4 --quick
`;

class UsageError extends Error {}

function wholeNumber(name: string, text: string | undefined, least: number, most: number, otherwise: number): number {
  if (text === undefined) return otherwise;
  const number = /^\d{1,7}$/.test(text) ? Number(text) : -1;
  if (number < least || number > most) throw new UsageError(`--${name} is a whole number from ${String(least)} to ${String(most)} / --${name} 应为 ${String(least)} 至 ${String(most)} 的整数`);
  return number;
}

function readArguments(): ReturnType<typeof parse> {
  try {
    return parse();
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${(error as Error).message} / 参数有误`);
  }
}

function parse() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string' }, quick: { type: 'boolean', default: false }, records: { type: 'string' }, pairs: { type: 'string' }, dir: { type: 'string' },
      'profile-node': { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
    },
  });
  if (values['profile-node'] && values.dir === undefined) throw new UsageError('--profile-node needs --dir / 使用 --profile-node 时请指定 --dir');
  const { quick } = values;
  const bench = positionals.join(' ');
  const usual = (Object.hasOwn(benches, bench) ? benches[bench]?.records : undefined) ?? usualRecords;
  return {
    bench, help: values.help, only: values.only === undefined ? [] : values.only.split(','), dir: values.dir, profileNode: values['profile-node'],
    scale: { records: wholeNumber('records', values.records, 100, 1_000_000, quick ? 2000 : usual), pairs: wholeNumber('pairs', values.pairs, 1, 99, quick ? 1 : 3), window: quick ? 3000 : 8000, warm: quick ? 1000 : 2000 },
  };
}

function chosenBench(name: string, only: readonly string[]): (typeof benches)[string] {
  const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (bench === undefined) throw new UsageError(`there is no bench ${JSON.stringify(name)}; there are ${Object.keys(benches).join(', ')} / 没有该测试，可用：${Object.keys(benches).join('、')}`);
  const unknown = only.filter((id) => !bench.ids.includes(id));
  if (unknown.length > 0) throw new UsageError(`no such measure: ${unknown.join(', ')} (there are ${bench.ids.join(', ')}) / 没有该指标`);
  return bench;
}

async function main(): Promise<number> {
  try {
    const { bench, help, ...options } = readArguments();
    if (help || bench === '') {
      process.stdout.write(usage);
      return help ? 0 : 2;
    }
    const { failed, measures, profile } = await chosenBench(bench, options.only).run(options);
    process.stdout.write(`${table(measures)}\n\n${profile.length === 0 ? '' : `the nodes' own time by function / 节点耗时:\n${profile.map((line) => `  ${line}\n`).join('')}\n`}${measures.map((measure) => `${jsonLine(measure)}\n`).join('')}`);
    if (failed.length > 0) process.stderr.write(`not measured / 未测得: ${failed.join(', ')}\n`);
    return failed.length > 0 || !measures.every(isMet) ? 1 : 0;
  } catch (error) {
    if (error instanceof BenchError) {
      process.stderr.write(`${error.message}\n`);
      return 1;
    }
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nnpm run bench -- --help\n`);
    return 2;
  }
}

process.exitCode = await main();
