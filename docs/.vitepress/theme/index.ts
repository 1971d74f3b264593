// The default theme with the fonts of the reader's own system, and tables that fit.
/// <reference types="vitepress/client" />

import DefaultTheme from "vitepress/theme-without-fonts";
// After the theme, so that it overrides it.
import "./style.css";

export default DefaultTheme;
