// The default theme with the fonts of the reader's own system.

export { default } from "vitepress/theme-without-fonts";
