import { start } from "./define";

start();
