// What HTML cannot do by itself. Each module does one thing.
import "./actions.js";
import "./clock.js";
import "./copy.js";
import "./copy_as.js";
import "./fill.js";
import "./keys.js";
import "./later.js";
import "./live.js";
import "./news.js";
