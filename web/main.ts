import "./app/tokens.css";
import "./app/app-shell.ts";
