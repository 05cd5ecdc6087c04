// Who may know whom. Arrows read "is known by":
//   protocol <- chaincode
//   protocol <- node/core <- node/adapters <- node/composition <- main
//   protocol <- sdk/client <- console, examples
// tests/house/arrows.test.ts breaks each rule on purpose and sees it bite.

const TECHNOLOGY = [
  'level', 'abstract-level', 'classic-level', 'libp2p', '@libp2p/', '@multiformats/', '@grpc/', '@hyperledger/', 'fabric-',
  'google-protobuf', 'fastify', '@fastify/', '@nestjs/', 'commander', 'nest-commander', 'reflect-metadata', 'rxjs', 'winston', 'cli-progress',
  'inquirer', 'ora', 'prom-client', 'pg', 'undici', 'ipaddr\\.js',
].map((name) => (/[/-]$/.test(name) ? name : `${name}(/|$)`));
const packages = (names) => `(^|/)node_modules/(@types/)?(${names.join('|')})`;
const builtin = (names) => `^(node:)?(${names.join('|')})(/|$)`;

// Each package is entered by its door; only its own files and tests see what is behind it.
const door = (name, folder, doors = 'index') => ({
  name,
  comment: `What ${folder} offers is what its index (or another entry named here) exports.`,
  severity: 'error',
  from: { pathNot: `^${folder}/(src|test|scripts|bin)/` },
  to: { path: `^${folder}/(src|dist)/`, pathNot: `^${folder}/(src/(${doors})\\.ts|dist/(${doors})\\.(js|d\\.ts))$` },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'protocol-knows-nobody',
      comment: 'The protocol is what every other part agrees on.',
      severity: 'error',
      from: { path: '^sdk/protocol/src/' },
      to: { path: '^(sdk/client|chaincode|node|examples|tests|scripts)/' },
    },
    {
      name: 'protocol-without-node',
      comment: 'The protocol runs in browsers and in the chaincode: no I/O, no builtin of Node.js.',
      severity: 'error',
      from: { path: '^sdk/protocol/src/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'chaincode-knows-protocol-only',
      comment: 'Its tests also run the contracts on the embedded ledger, by that one\'s door.',
      severity: 'error',
      from: { path: '^chaincode/(?!test/)' },
      to: { path: '^(sdk/client|node|examples|scripts)/' },
    },
    {
      name: 'rules-are-pure',
      comment: 'A rule is a function of state, command, caller and time; contracts speak with Fabric.',
      severity: 'error',
      from: { path: '^chaincode/src/rules/' },
      to: { path: [packages(['fabric-', '@hyperledger/', '@grpc/']), '^chaincode/src/contracts/'] },
    },
    {
      name: 'rules-without-node',
      severity: 'error',
      from: { path: '^chaincode/src/rules/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'chaincode-never-meets-node',
      comment: 'Only the composition loads the chaincode, as a module for the embedded ledger.',
      severity: 'error',
      from: { path: '^node/', pathNot: ['^node/src/composition/', '^node/test/'] },
      to: { path: '^chaincode/' },
    },
    {
      name: 'core-knows-protocol-only',
      severity: 'error',
      from: { path: '^node/src/core/' },
      to: { path: ['^node/(?!src/core/)', '^(sdk/client|chaincode|examples|scripts)/'], pathNot: '^node/node_modules/' },
    },
    {
      name: 'core-without-technology',
      comment: 'A technology is an adapter behind a port.',
      severity: 'error',
      from: { path: '^node/src/core/' },
      to: { path: packages(TECHNOLOGY) },
    },
    {
      name: 'core-without-io',
      comment: 'Clock, randomness, store, transport, ledger and keys are ports, so that a seeded simulator can drive them.',
      severity: 'error',
      from: { path: '^node/src/core/' },
      to: { dependencyTypes: ['core'], path: builtin(['fs', 'net', 'http', 'http2', 'https', 'tls', 'dgram', 'dns', 'os', 'child_process', 'cluster', 'worker_threads', 'timers', 'process', 'readline', 'tty', 'vm', 'inspector']) },
    },
    {
      name: 'settings-below-adapters',
      comment: 'Configuration and observability are read by adapters and composition, and know neither.',
      severity: 'error',
      from: { path: '^node/src/(config|observability)/' },
      to: { path: ['^node/src/(adapters|composition)/', '^node/src/main\\.ts$'] },
    },
    {
      name: 'adapters-stay-apart',
      comment: 'Each folder is one adapter; what two of them need is a port of the core.',
      severity: 'error',
      from: { path: '^node/src/adapters/([^/]+)/' },
      to: { path: '^node/src/adapters/', pathNot: '^node/src/adapters/$1/' },
    },
    {
      name: 'adapters-below-composition',
      severity: 'error',
      from: { path: '^node/src/adapters/' },
      to: { path: ['^node/src/composition/', '^node/src/main\\.ts$'] },
    },
    {
      name: 'sandbox-stays-apart',
      comment: 'What forces refusals and delays is reached by its own command alone, never by a node.',
      severity: 'error',
      from: { path: '^node/src/', pathNot: '^node/src/composition/(sandbox/|huilian-processes\\.ts$)' },
      to: { path: '^node/src/composition/sandbox/' },
    },
    {
      name: 'nothing-knows-main',
      severity: 'error',
      from: {},
      to: { path: '^node/src/main\\.ts$' },
    },
    {
      name: 'embedded-ledger-knows-no-domain',
      comment: 'It is a Fabric Gateway for any contract.',
      severity: 'error',
      from: { path: '^node/embedded-ledger/' },
      to: { path: ['^(sdk|chaincode|examples|scripts)/', '^node/(src|console)/'] },
    },
    {
      name: 'sdk-knows-protocol-only',
      severity: 'error',
      from: { path: '^sdk/client/src/' },
      to: { path: '^(chaincode|node|examples|scripts)/' },
    },
    {
      name: 'sdk-without-node',
      comment: 'The SDK runs in browsers too.',
      severity: 'error',
      from: { path: '^sdk/client/src/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pages-and-examples-know-sdk-only',
      severity: 'error',
      from: { path: '^(node/console|examples)/' },
      to: { path: ['^sdk/protocol/', '^(chaincode|scripts)/', '^node/(src|embedded-ledger)/'] },
    },
    {
      name: 'nobody-knows-the-console',
      comment: 'It is a page; the node serves its built files and knows nothing of them.',
      severity: 'error',
      from: { pathNot: '^node/console/' },
      to: { path: '^node/console/src/' },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { pathNot: ['^tests/', '(^|/)test/', '^vitest\\.config\\.ts$'] },
      to: { path: ['^tests/', '^(sdk/[^/]+|chaincode|node|node/[^/]+|examples/[^/]+)/test/'] },
    },
    door('protocol-by-its-door', 'sdk/protocol'),
    door('sdk-by-its-door', 'sdk/client', 'index|verify'),
    door('chaincode-by-its-door', 'chaincode'),
    door('embedded-ledger-by-its-door', 'node/embedded-ledger'),
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      comment: 'But for the browser of the tests, installed when a test first asks for it, and the built program behind bin.',
      from: { pathNot: ['(^|/)node_modules/', '^scripts/browser/', '^node/bin/'] },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // An arrow that only types follow is an arrow.
    tsPreCompilationDeps: true,
    doNotFollow: { path: '(^|/)(node_modules|dist|generated)/' },
    exclude: { path: '^((sdk/[^/]+|chaincode|node|node/[^/]+|examples/[^/]+)/dist)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@huilian/source', 'types', 'import', 'require', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
    moduleSystems: ['es6', 'cjs'],
  },
};
