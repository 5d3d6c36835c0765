/** The first page: what there is to try. */
import { speak } from "../shared/language.ts";
import { texts } from "./texts.ts";

speak(texts);
