/** swc compiles and does not check types: `npm run types` does. */
export default {
  testEnvironment: 'node',
  // The unref'd timer of a manager that a test left open may fire while a later test file runs.
  testEnvironmentOptions: { globalsCleanup: 'off' },
  testMatch: ['<rootDir>/__tests__/**/*.test.ts'],
  // Tests that take minutes: `npm run test:long`. Tests of more of the same: `npm run test:wide`.
  testPathIgnorePatterns: [
    '/node_modules/',
    ...(process.env.SID_LONG === '1' ? [] : ['\\.long\\.test\\.ts$']),
    ...(process.env.SID_LONG === '1' || process.env.SID_WIDE === '1' ? [] : ['\\.wide\\.test\\.ts$']),
  ],
  globalSetup: '<rootDir>/__tests__/support/probe.js',
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }],
  },
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^express-sid$': '<rootDir>/src/index.ts',
    '^express-sid/testing$': '<rootDir>/src/testing/index.ts',
    '^express-sid/opentelemetry$': '<rootDir>/src/opentelemetry/index.ts',
    '^express-sid/devices$': '<rootDir>/src/devices/index.ts',
    '^express-sid/express-session$': '<rootDir>/src/express-session/index.ts',
    '^express-sid/express-session-store$': '<rootDir>/src/stores/adapted/index.ts',
    '^express-sid/moving-store$': '<rootDir>/src/stores/moving/index.ts',
    '^express-sid/(.+)$': '<rootDir>/src/stores/$1/index.ts',
  },
  modulePathIgnorePatterns: [
    '<rootDir>/dist/',
    '<rootDir>/.tmp/',
    '<rootDir>/__tests__/packaging/consumers/',
  ],
  watchman: false,
  // The first start of a browser or a server on a new or busy machine takes more than Jest's 5 s.
  testTimeout: 40_000,
  // Jest would leave one core idle; on two that is half the machine, and many tests mostly wait for servers.
  maxWorkers: 3,
}
