// Ends a test run with one plain line, `N passed, N failed, N skipped`, that any reader of logs understands.

/**
 * @param {import('vitest/node').TestModule} module
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
function countModule(module) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    // A test that never came to an end did not pass.
    counts[state === 'pending' ? 'failed' : state] += 1;
  }
  // A file that does not load, or a hook that throws, fails the run without failing a test.
  if (module.state() === 'failed' && counts.failed === 0) counts.failed = 1;
  return counts;
}

// vitest loads a reporter given by path through its default export.
export default class ClosingLineReporter {
  /**
   * @param {ReadonlyArray<import('vitest/node').TestModule>} modules
   * @param {ReadonlyArray<unknown>} unhandled errors outside any test
   */
  onTestRunEnd(modules, unhandled) {
    const total = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const counts of modules.map(countModule)) {
      total.passed += counts.passed;
      total.failed += counts.failed;
      total.skipped += counts.skipped;
    }
    console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  }
}
