// Loaded into a process before its program (NODE_OPTIONS=--import): its whole wall clock is DRILL_CLOCK_SECONDS away from
// the machine's, as where a clock was set wrong.
const shift = Number(process.env['DRILL_CLOCK_SECONDS'] ?? '0') * 1000;
const Real = globalThis.Date;

globalThis.Date = class Date extends Real {
  constructor(...parts) {
    if (parts.length === 0) super(Real.now() + shift);
    else super(...parts);
  }

  static now() {
    return Real.now() + shift;
  }
};
