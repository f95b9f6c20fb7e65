import { referenceDriver } from "../../backends/reference/index.ts";
import { describeBackend } from "./describe-backend.ts";

// Against itself: that every case can be built, run and differentiated, and that the reference keeps an executable's promises.
describeBackend(referenceDriver);
