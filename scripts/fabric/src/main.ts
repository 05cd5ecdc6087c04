import path from 'node:path';
import { parseArgs } from 'node:util';
import { commands, type Values } from './commands.js';
import { FabricError } from './fabric-error.js';
import { TerminalProgress } from './report.js';

const usage = `npm run fabric -- <command> [--profile raft|bft] [--dir FOLDER] [--json]

  up         start a network, or what of it does not run; deploy the chaincode / 启动网络并部署链码
             npm run fabric -- up --profile raft
  down       end every process of the network; --remove deletes its folder too / 停止网络
             npm run fabric -- down --profile raft
  status     processes, heights, chaincode in force / 查看状态
             npm run fabric -- status --profile raft --json
  deploy     bring a chaincode version into force; the ledger's state is kept / 部署或升级链码
             npm run fabric -- deploy --version 2 --chaincode ./chaincode
             (--name NAME deploys another chaincode beside huilian)
  identities make the identities and the connection file of a centre that will join / 生成新中心的身份
             npm run fabric -- identities --org shenzhen
  join       a further centre joins the running channel / 新中心加入通道
             npm run fabric -- join --org shenzhen
  remove     a centre leaves the channel; its processes end / 中心退出通道
             npm run fabric -- remove --org shenzhen
  renew      new certificates for the same keys of a peer, an orderer, a node's client / 更新证书
             npm run fabric -- renew --name peer0.zhuhai
  batching   how the running channel cuts blocks: bulk (500 ms) or low-latency (20 ms) / 调整出块
             npm run fabric -- batching --name low-latency
  container-files  identities, first block and packages for network-config/fabric/compose.yaml / 生成容器网络文件
             npm run fabric -- container-files --dir ./network
  logs       where the logs are; --name prints the end of one / 查看日志
             npm run fabric -- logs --name peer0.guangzhou

The folder is .huilian/fabric/<profile> unless --dir names one (profile raft when none is named).
Fabric's own commands are found on FABRIC_BIN or PATH.
`;

const options = {
  profile: { type: 'string' },
  dir: { type: 'string' },
  json: { type: 'boolean', default: false },
  version: { type: 'string' },
  chaincode: { type: 'string' },
  name: { type: 'string' },
  org: { type: 'string' },
  peers: { type: 'string' },
  remove: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

function parse(): { command: string; values: Values & { json: boolean; help: boolean } } {
  try {
    const { positionals, values } = parseArgs({ options, allowPositionals: true });
    const profile = values.profile ?? 'raft';
    const dir = path.resolve(values.dir ?? path.join('.huilian', 'fabric', profile));
    return { command: positionals.join(' '), values: { ...values, profile: values.profile, dir } };
  } catch (error) {
    throw new FabricError('USAGE', 'read arguments', (error as Error).message, { en: 'npm run fabric -- --help', zh: 'npm run fabric -- --help 查看用法' });
  }
}

async function main(): Promise<number> {
  const progress = new TerminalProgress();
  const json = process.argv.includes('--json');
  try {
    const { command, values } = parse();
    if (values.help || command === '') {
      process.stdout.write(usage);
      return values.help ? 0 : 2;
    }
    const act = commands.get(command);
    if (act === undefined) throw new FabricError('USAGE', 'read arguments', `there is no command ${JSON.stringify(command)}`, { en: 'npm run fabric -- --help', zh: 'npm run fabric -- --help 查看用法' });
    const { data, text } = await act(values, progress);
    progress.end();
    process.stdout.write(json ? `${JSON.stringify(data)}\n` : text);
    return 0;
  } catch (error) {
    progress.end('✗');
    if (!(error instanceof FabricError)) throw error;
    if (json) process.stdout.write(`${JSON.stringify(error)}\n`);
    process.stderr.write(error.describe());
    return error.code === 'USAGE' ? 2 : 1;
  }
}

process.exitCode = await main();
