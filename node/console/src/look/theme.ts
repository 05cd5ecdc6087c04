import { createTheme } from '@mantine/core';

/** Colours, shades and sizes are in look.css, so that no style has to be written into the page at run time. */
export const theme = createTheme({
  primaryColor: 'blue',
  defaultRadius: 'sm',
  components: {
    Modal: { defaultProps: { lockScroll: false, centered: true } },
  },
});
