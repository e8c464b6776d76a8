import "./app/app-shell.ts";
import { showTheme } from "./app/theme.ts";
import "./app/tokens.css";

showTheme();
