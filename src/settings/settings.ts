/** The one table of settings: it drives the flags, the variables, the file, `--help` and the README's table. */
import { accessSettings } from "./access_settings.ts";
import { repairSettings } from "./repair_settings.ts";
import { runningSettings } from "./running_settings.ts";
import type { Setting } from "./setting.ts";

export type { Setting };

export const settings = { ...accessSettings, ...repairSettings, ...runningSettings };

/** A setting's name: the field of `Config` that it fills. */
export type SettingName = keyof typeof settings;

/** The table as rows, in the order in which a user reads them. */
export const settingRows = Object.entries(settings) as readonly [SettingName, Setting][];
