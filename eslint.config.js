import js from '@eslint/js';

export default [
  { ignores: ['target/', 'data/', 'static/wasm/', 'node_modules/', '**/*.d.ts'] },
  js.configs.recommended,
  {
    rules: {
      // tsc looks for unknown names.
      'no-undef': 'off',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none' }],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  { files: ['crates/browser/tests/*.mjs'], rules: { 'no-console': 'off' } },
];
