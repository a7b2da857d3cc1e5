import js from '@eslint/js';

/** What would outlive the view that began it. */
const UNOWNED = [
  'CallExpression[callee.name=/^(addEventListener|setTimeout|setInterval)$/]',
  'CallExpression[callee.property.name=/^(addEventListener|setTimeout|setInterval)$/]',
  "AssignmentExpression[left.property.name=/^on[a-z]+$/]:not([left.object.property.name='dataset'])",
];

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
  {
    // The worker has no views.
    files: ['static/js/**/*.js'],
    ignores: ['static/js/core/{worker,host,keep,meter}.js', 'static/js/lib/{part,state}.js'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...UNOWNED.map((selector) => ({ selector, message: 'Let a Part do this: it ends with its view.' })),
      ],
    },
  },
];
