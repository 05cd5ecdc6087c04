import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const NO_DEFAULT_EXPORT = {
  selector: 'ExportDefaultDeclaration',
  message: 'Export by name; a default export hides what a thing is called.',
};

/** @param {string[]} names @returns {import('eslint').Linter.RuleEntry} */
const forbidGlobals = (names) => ['error', ...names.map((name) => ({ name, message: WORLD_REASON }))];

// What a rule of the ledger may not see: two endorsers must come to the same bytes, and so must a verifier years later.
const WORLD = ['Date', 'performance', 'fetch', 'XMLHttpRequest', 'WebSocket', 'process', 'Intl', 'crypto',
  'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'requestAnimationFrame', 'localStorage', 'navigator'];
const WORLD_REASON = 'Clock, randomness, network, environment and locale come from the caller: this code must give the same bytes everywhere.';
const NO_LOCALE = { selector: 'MemberExpression[property.name=/^toLocale/]', message: WORLD_REASON };

/** @type {import('eslint').Linter.RulesRecord} */
const WORLD_RULES = {
  'no-restricted-globals': forbidGlobals([...WORLD, 'globalThis']),
  'no-restricted-properties': ['error',
    ...WORLD.map((property) => ({ object: 'globalThis', property, message: WORLD_REASON })),
    { object: 'Math', property: 'random', message: WORLD_REASON },
    { property: 'localeCompare', message: 'Order by code unit; a locale differs between machines.' },
  ],
  'no-restricted-syntax': ['error', NO_DEFAULT_EXPORT, NO_LOCALE],
};
const NO_STATE = {
  selector: 'Program > VariableDeclaration[kind=/^(let|var)$/], Program > ExportNamedDeclaration > VariableDeclaration[kind=/^(let|var)$/]',
  message: 'State that outlives a call differs between endorsers.',
};

export default defineConfig(
  globalIgnores(['**/dist/', '**/node_modules/', '**/generated/', 'coverage/', '.huilian/']),
  { linterOptions: { noInlineConfig: true } },
  tseslint.configs.recommended,
  {
    rules: {
      complexity: ['error', { max: 15 }],
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-throw-literal': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-restricted-syntax': ['error', NO_DEFAULT_EXPORT],
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
  {
    files: ['{sdk,chaincode,node,examples}/**/src/**/*.{ts,tsx}'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    // Decorator metadata needs the value import of a class that looks like a mere type: `Context`, whatever Nest injects.
    files: ['sdk/**/src/**/*.ts', 'node/src/core/**/*.ts'],
    rules: { '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }] },
  },
  { files: ['chaincode/src/rules/**/*.ts', 'sdk/protocol/src/**/*.ts'], rules: WORLD_RULES },
  { files: ['chaincode/src/**/*.ts'], rules: { 'no-restricted-syntax': ['error', NO_DEFAULT_EXPORT, NO_LOCALE, NO_STATE] } },
  {
    // The places that look whether the process has a native hash or codec; the bytes are the same either way.
    files: ['sdk/protocol/src/native.ts', 'sdk/protocol/src/bytes.ts'],
    rules: { 'no-restricted-globals': forbidGlobals(WORLD) },
  },
  {
    // CommonJS has no other way to load a module.
    files: ['**/*.cjs'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    // These tools load a configuration or a reporter through its default export.
    files: ['*.config.{ts,mjs}', 'scripts/closing-line-reporter.mjs'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
